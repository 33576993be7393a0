from __future__ import annotations

from tests.delivery.factories import Factory
from tests.delivery.peers import Reply, Request

SLACK_TOKEN = "xoxb-1-slack-token-that-nobody-sees"
SLACK_SECRET = "slack-signing-secret-that-nobody-sees"
TWILIO_TOKEN = "twilio-auth-token-that-nobody-sees"
TEAMS_PASSWORD = "teams-password-that-nobody-sees"


def slack_says(request: Request) -> Reply:
    if request.path.endswith("/conversations.open"):
        return Reply(body=b'{"ok": true, "channel": {"id": "D024BE91L"}}')
    return Reply(body=b'{"ok": true, "channel": "C1H9RESGL", "ts": "1503435956.000247", "message": {}}')


def slack_text(request: Request) -> object:
    if not request.path.endswith("/chat.postMessage"):
        return None
    return "".join(block["text"]["text"] for block in request.json()["blocks"] if block["type"] == "section")


def twilio_says(request: Request) -> Reply:
    return Reply(201, b'{"sid": "SM' + b"0" * 32 + b'", "status": "queued"}')


def twilio_text(request: Request) -> object:
    return request.form()["Body"].removeprefix("Payment failed\n").partition("\nPay now: https://")[0]


def teams_says(request: Request) -> Reply:
    if request.path.endswith("/token"):
        return Reply(body=b'{"token_type": "Bearer", "expires_in": 3599, "access_token": "a.b.c"}')
    return Reply(201, b'{"id": "1:abc"}')


def teams_text(request: Request) -> object:
    if not request.path.endswith("/activities"):
        return None
    said = request.json()
    if "text" in said:
        return said["text"]
    return said["attachments"][0]["content"]["body"][-1]["inlines"][0]["text"]


FACTORIES = {
    "slack": Factory(
        options=lambda url, folder: {"token": SLACK_TOKEN, "signing_secret": SLACK_SECRET, "url": f"{url}/api"},
        yes=slack_says,
        text_of=slack_text,
        address="U024BE7LH",
    ),
    "twilio": Factory(
        options=lambda url, folder: {
            "account_sid": "AC" + "1" * 32,
            "auth_token": TWILIO_TOKEN,
            "from": "+15005550006",
            "url": url,
        },
        yes=twilio_says,
        text_of=twilio_text,
        address="+15558675310",
        spoils=(
            {"from": None},
            {"api_key_sid": "SK1"},
            {"medium": "whatsapp", "templates": ["HX1"]},
            {"medium": "whatsapp", "templates": {"a": {"variables": []}}},
            {"templates": {"a": "HX1"}},
        ),
    ),
    "teams": Factory(
        options=lambda url, folder: {
            "app_id": "00000000-1111-2222-3333-444444444444",
            "app_password": TEAMS_PASSWORD,
            "service_url": f"{url}/teams/",
            "login_url": f"{url}/login",
            "metadata_url": f"{url}/keys/openid",
        },
        yes=teams_says,
        text_of=teams_text,
        address="a:1pL0c2_Wh",
    ),
}
