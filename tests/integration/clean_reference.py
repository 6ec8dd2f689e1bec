"""The Pinterest rows cleaned by the written rules, straightforwardly, and apart from our own code.

clean("pin" | "geo" | "user", row) takes a raw row as posted (a dict) and gives the row that the
cleaned objects have to hold, keys in order. A field that is missing or unreadable is None.
"""
import re
from decimal import Decimal

NOTHING = {
    "",
    "No description available Story format",
    "No description available",
    "Untitled",
    "User Info Error",
    "Image src error.",
    "Image src error",
    "No Title Data Available",
    "N,o, ,T,a,g,s, ,A,v,a,i,l,a,b,l,e",
}
PIN = ("unique_id", "title", "description", "follower_count", "poster_name", "tag_list",
       "is_image_or_video", "image_src", "save_location", "category", "downloaded")
PREFIX = "Local save in "
INT64 = range(-2**63, 2**63)


def integer(value):
    """A whole number, written as one or as its text; anything else is None."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, str) and re.fullmatch(r"[+-]?[0-9]+", value):
        value = int(value)
    return value if isinstance(value, int) and value in INT64 else None


def boolean(value):
    if isinstance(value, str):
        return {"true": True, "1": True, "false": False, "0": False}.get(value.lower())
    return bool(value) if isinstance(value, (bool, int, float)) else None


def followers(value):
    """12, 12k (thousands), 1.5M (millions) as whole numbers."""
    if not isinstance(value, str):
        return None if isinstance(value, bool) else integer(value)
    match = re.fullmatch(r"([+-]?[0-9]+(?:\.[0-9]+)?)([kM]?)", value)
    if not match:
        return None
    number = Decimal(match[1]) * {"": 1, "k": 1000, "M": 1000000}[match[2]]
    return int(number) if number == int(number) and int(number) in INT64 else None


def time(value):
    """yyyy-MM-dd'T'HH:mm:ss or with a blank for the T, written as the first; a date that exists."""
    match = isinstance(value, str) and re.fullmatch(
        r"([0-9]{4})-([0-9]{2})-([0-9]{2})[T ]([0-9]{2}):([0-9]{2}):([0-9]{2})", value)
    if not match:
        return None
    year, month, day, hour, minute, second = map(int, match.groups())
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    days = [31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    if year < 1 or not 1 <= month <= 12 or not 1 <= day <= days[month - 1]:
        return None
    return value.replace(" ", "T") if hour < 24 and minute < 60 and second < 60 else None


def clean_pin(row):
    row = {key: None if isinstance(value, str) and value in NOTHING else value
           for key, value in row.items()}
    result = {"ind": integer(row.get("ind")), **{key: row.get(key) for key in PIN}}
    result["follower_count"] = followers(row.get("follower_count"))
    result["downloaded"] = boolean(row.get("downloaded"))
    if isinstance(result["save_location"], str):
        result["save_location"] = result["save_location"].removeprefix(PREFIX)
    return result


def clean_geo(row):
    country = row.get("country")
    return {
        "ind": integer(row.get("ind")),
        "country": country.strip() if isinstance(country, str) else country,
        "coordinates": [row.get("latitude"), row.get("longitude")],
        "timestamp": time(row.get("timestamp")),
    }


def clean_user(row):
    first, last = row.get("first_name"), row.get("last_name")
    return {
        "ind": integer(row.get("ind")),
        "user_name": None if first is None or last is None else f"{first} {last}",
        "age": integer(row.get("age")),
        "date_joined": time(row.get("date_joined")),
    }


def clean(kind, row):
    row = {"ind" if key == "index" else key: value for key, value in row.items()}
    return {"pin": clean_pin, "geo": clean_geo, "user": clean_user}[kind](row)
