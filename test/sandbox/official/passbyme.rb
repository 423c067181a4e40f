# Drives a checkout of passbyme2fa-client-ruby against the sandbox; argument 1 is the checkout, SANDBOX the sandbox's JSON line.
require 'json'
require 'net/http'
require 'uri'

SANDBOX = JSON.parse(ENV.fetch('SANDBOX'))
HERE = SANDBOX['passbyme']

# The client can be given neither a port nor an authority.
module PointedHere
  def start(address, options)
    super(address, URI(HERE['url']).port, options.merge(ca_file: HERE['caFile']))
  end
end
require File.join(ARGV[0], 'lib', 'passbyme2fa-client')

def phone(path, body)
  Net::HTTP.post(URI(SANDBOX['phone']['url'] + path), body.to_json, 'Content-Type' => 'application/json')
end

def code_of
  yield
  'none'
rescue PassByMEError => e
  e.response['code']
end

pem = File.read(HERE['pemFile'])
Net::HTTP.singleton_class.prepend(PointedHere)
client = PassByME2FAClient.new(
  address: '127.0.0.1',
  cert: OpenSSL::X509::Certificate.new(pem),
  key: OpenSSL::PKey::RSA.new(pem, HERE['passphrase'])
)
Net::HTTP.singleton_class.class_eval { PointedHere.send(:remove_method, :start) }

ask = { recipients: ['alice@example.org'], availability: 120, type: 'authorization', subject: 'Sign-in' }
message = client.send_message(ask)
seen = { 'sent' => message.recipient_statuses.map(&:status) }
pushes = JSON.parse(Net::HTTP.get(URI("#{SANDBOX['phone']['url']}/api/pushes")))
phone("/api/pushes/#{pushes[0]['id']}/approve", {})
seen['approved'] = message.refresh.recipient_statuses.map(&:status)
seen['too late'] = code_of { message.cancel }
other = client.send_message(ask.merge(type: 'message'))
seen['cancelled'] = client.cancel_message(other.message_id).recipient_statuses.map(&:status)
seen['stranger'] = code_of { client.send_message(ask.merge(recipients: ['nobody@example.org'])) }
seen['unknown message'] = code_of { client.track_message('YzX95zUA1et2ijQ') }
puts seen.to_json
