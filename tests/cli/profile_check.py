"""What chaperone built, read by a parser that shares nothing with it."""
import plistlib
import sys
import uuid

everything = plistlib.load(open(sys.argv[1], "rb"))
payloads = {p["PayloadType"]: p for p in everything["PayloadContent"]}
restrictions = payloads["com.apple.applicationaccess"]

assert everything["PayloadType"] == "Configuration"
assert everything["PayloadVersion"] == 1
assert everything["PayloadIdentifier"] == "org.chaperone.preset.kiosk.lockdown-of-tool"
assert everything["PayloadOrganization"] == "Büro & <Söhne>"
assert everything["PayloadRemovalDisallowed"] is True
assert everything["HasRemovalPasscode"] is True
assert everything["DurationUntilRemoval"] == 8.5 * 3600
assert isinstance(everything["DurationUntilRemoval"], float)
assert everything["TargetDeviceType"] == 1
assert restrictions["allowChat"] is False
assert restrictions["forceAutomaticDateAndTime"] is True
assert restrictions["ratingApps"] == 200
assert restrictions["safariAcceptCookies"] == 1.5
assert restrictions["deniedICCIDsForRCS"] == ["8949020000123456789"]
assert payloads["com.apple.app.lock"]["App"]["Identifier"] == "com.acme.shop"
assert payloads["com.apple.wifi.managed"]["SSID_STR"] == 'Shop "1"'
assert payloads["com.apple.wifi.managed"]["Password"] == "correct horse"
assert payloads["com.apple.profileRemovalPassword"]["RemovalPassword"] == "correct horse"
assert payloads["com.apple.shareddeviceconfiguration"]["LockScreenFootnote"] == "Don't touch"
assert payloads["com.apple.shareddeviceconfiguration"]["AssetTagInformation"] == "A-1"

for name in sys.argv[2:]:
    with open(name, "rb") as file:
        profile = plistlib.load(file)
    seen = set()
    for part in [profile] + profile["PayloadContent"]:
        assert uuid.UUID(part["PayloadUUID"]).version == 8, name
        assert part["PayloadUUID"] not in seen, name
        seen.add(part["PayloadUUID"])
        assert part["PayloadIdentifier"].startswith(profile["PayloadIdentifier"]), name
print(len(sys.argv) - 2, "profiles read")
