#!/usr/bin/env python3
"""Shows what a run left under DIR (demo): objects by folder, and one row before and after cleaning."""
import collections
import json
import os
import sys


def objects(root):
    for folder, _, names in sorted(os.walk(root)):
        for name in sorted(names):
            yield os.path.join(folder, name)


def show(title, root):
    count = collections.Counter(os.path.dirname(path) for path in objects(root))
    total = sum(count.values())
    print(f"\n{title}: {total} objects under {root}")
    for folder, number in sorted(count.items()):
        files = [path for path in objects(folder) if os.path.dirname(path) == folder]
        print(f"  {os.path.relpath(folder, root)}/")
        print(f"    {os.path.basename(files[0])} .. {os.path.basename(files[-1])}  ({number})")


def first_line(root, part):
    for path in objects(root):
        if part in path:
            with open(path, encoding="utf-8") as file:
                return file.readline().strip()
    return ""


def main():
    demo = sys.argv[1] if len(sys.argv) > 1 else "demo"
    lake, clean = os.path.join(demo, "lake"), os.path.join(demo, "clean")
    show("Raw", lake)
    show("Cleaned", clean)
    print("\nThe first pin, as posted:")
    print("  " + first_line(lake, ".pin/")[:400])
    print("and cleaned:")
    print("  " + json.dumps(json.loads(first_line(clean, ".pin/") or "null"), ensure_ascii=False)[:400])


if __name__ == "__main__":
    main()
