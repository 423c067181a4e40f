"""Drives a checkout of sendsecure-python against the sandbox; argument 1 is the checkout, SANDBOX the sandbox's JSON line."""
import io
import json
import os
import sys
import urllib.error

sys.path.insert(0, sys.argv[1])
from sendsecure import Attachment, Client, ContactMethod, Participant, Safebox  # noqa: E402

here = json.loads(os.environ["SANDBOX"])["sendsecure"]
names = (here["enterpriseAccount"], here["username"])
seen = {}


def status(call):
    try:
        return call()
    except urllib.error.HTTPError as error:
        return error.code


token = Client.get_user_token(*names, here["password"], "device", "name", endpoint=here["url"])
seen["wrong password"] = status(lambda: Client.get_user_token(*names, "x", "device", "name", endpoint=here["url"]))
account = {"token": token["token"], "user_id": str(token["user_id"]), "enterprise_account": names[0], "endpoint": here["url"]}
client = Client(account)
box = Safebox(user_email=here["userEmail"])
box.subject, box.message = "Figures", "As promised."
ana = Participant("ana.reyes@client.example")
ana.guest_options.contact_methods.append(ContactMethod({"destination": "+15145550111", "destination_type": "cell_phone"}))
box.participants.append(ana)
box.attachments.append(Attachment({"source": io.BytesIO(b"content"), "filename": 'a "b" é.txt', "size": 7}))
client.submit_safebox(box)
seen["sent"] = box.status
messages = client.get_safebox_messages(box)
seen["file"] = [messages[0].documents[0].name, messages[0].documents[0].size]
seen["participants"] = [each.email for each in client.get_safebox_participants(box)]
seen["longer"] = client.add_time(box, 2, "days")["result"]
seen["found"] = client.get_safeboxes(None, {"search_term": "Figures", "per_page": 1})["count"]
seen["early record"] = status(lambda: client.get_audit_record_url(box))
seen["closed"] = client.close_safebox(box)["result"]
seen["closed again"] = status(lambda: client.close_safebox(box))
seen["record"] = client.get_audit_record_url(box).endswith("/" + box.guid + ".pdf")
seen["wrong token"] = status(lambda: Client(dict(account, token="USER|no")).get_enterprise_settings())
print(json.dumps(seen))
