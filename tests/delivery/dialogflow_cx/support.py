"""An agent of CX."""

PLACE = {"project": "shop", "location": "europe-west1", "agent": "11112222-aaaa"}
SESSION = "7dca4d1f-5804-5984-8291-ac9b1abae24b"
