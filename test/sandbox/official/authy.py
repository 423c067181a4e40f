"""Drives a checkout of authy-python against the sandbox; argument 1 is the checkout, SANDBOX the sandbox's JSON line."""
import json
import os
import sys
import urllib.request

sys.path.insert(0, sys.argv[1])
from authy.api import AuthyApiClient  # noqa: E402

sandbox = json.loads(os.environ["SANDBOX"])
api = AuthyApiClient(sandbox["authy"]["apiKey"], sandbox["authy"]["url"])


def phone(path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(sandbox["phone"]["url"] + path, data, {"Content-Type": "application/json"})
    return json.load(urllib.request.urlopen(request))


seen = {}
user = api.users.create("ada@example.com", "201-555-0100", 1)
seen["created"] = user.ok()
seen["sms"] = api.users.request_sms(user.id, {"force": True}).ok()
code = phone("/api/messages?kind=sms")[0]["code"]
seen["wrong token"] = api.tokens.verify(user.id, "1234567").errors()["message"]
seen["token"] = api.tokens.verify(user.id, code).ok()
seen["token again"] = api.tokens.verify(user.id, code).ok()
seen["verification"] = api.phones.verification_start("201-555-0101", 1).ok()
seen["wrong code"] = api.phones.verification_check("201-555-0101", 1, "9").response.status_code
seen["application"] = api.apps.fetch().content["success"]
seen["unknown user"] = api.users.status(99999999).errors()["message"]
seen["wrong key"] = AuthyApiClient("wrong", sandbox["authy"]["url"]).apps.fetch().response.status_code
if hasattr(api, "one_touch"):
    phone("/api/devices", {"phone": "+12015550100"})
    asked = api.one_touch.send_request(user.id, "Sign in?", 120, {"Amount": "10"}, {}, [])
    phone("/api/pushes/" + asked.get_uuid() + "/approve", {})
    answer = api.one_touch.get_approval_status(asked.get_uuid())
    seen["approval"] = answer.content["approval_request"]["status"]
seen["deleted"] = api.users.delete(user.id).ok()
print(json.dumps(seen))
