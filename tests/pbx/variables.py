"""The variables of one missed call, for the tables of expressions."""

from datetime import datetime, timedelta, timezone

from callhelm_threecx.pbx.values import DateTime, TimeSpan, Value

ZONE = timezone(timedelta(hours=2))
START = datetime(2026, 3, 5, 7, 8, 9, 120_000, tzinfo=timezone.utc)

CALL: dict[str, Value] = {
    "Number": "+4930123456",
    "CallType": "Missed",
    "CallDirection": "Inbound",
    "Agent": "101",
    "EntityId": "",
    "Name": "O'Neil, Ann",
    "Blank": "  two  words ",
    "Duration": "00:02:05",
    "DurationTimespan": TimeSpan.of(timedelta(minutes=2, seconds=5)),
    "CallStartTimeUTC": DateTime.utc(START, ZONE),
    "CallStartTimeLocal": DateTime.local(START, ZONE),
    "CallEstablishedTimeUTC": None,
    "CallStartTimeUTCMillis": 1_772_694_489_120,
    "FoundRecordCount": 2,
    "Enabled": "True",
    "Text": "[CallType] call from [Number]",
    "Deep": "[Text]",
    "Contact::Email": "ann@example.com",
    "Quote": 'say "hi"',
    "Transcription": "Ann: [laughs] see [Number",
    "Ratio": 0.5,
    "Yes": True,
}
