"""The limit of `generation.py`: a loop that only posts with aiohttp, and keeps the answers.

    python benchmarks/bare_client.py URL BODIES --concurrency 64

posts each line of the file BODIES. It knows no ledger, parses no text and retries what is refused
or failed on the spot, after the seconds of `Retry-After` where the server names some.
"""

import argparse
import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import aiohttp


async def post_all(url: str, bodies: Sequence[bytes], concurrency: int) -> list[str]:
    """Return the contents of the answers, in the order of the bodies."""
    contents = [""] * len(bodies)
    left = iter(enumerate(bodies))
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), headers={"Content-Type": "application/json"}
    ) as session:

        async def work(left: Iterator[tuple[int, bytes]]) -> None:
            for i, body in left:
                while not contents[i]:
                    async with session.post(f"{url}/chat/completions", data=body) as response:
                        if response.status == 200:
                            row = json.loads(await response.read())
                            contents[i] = row["choices"][0]["message"]["content"]
                        else:
                            await response.read()
                            wait = float(response.headers.get("retry-after", 0))
                    if not contents[i]:
                        await asyncio.sleep(wait)

        await asyncio.gather(*(work(left) for _ in range(concurrency)))
    return contents


def main() -> None:
    """Post and print what it took."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("url")
    parser.add_argument("bodies", type=Path)
    parser.add_argument("--concurrency", type=int, default=64)
    options = parser.parse_args()
    bodies = options.bodies.read_bytes().splitlines()
    before = time.process_time()
    contents = asyncio.run(post_all(options.url, bodies, options.concurrency))
    cpu = time.process_time() - before
    print(json.dumps({"result": {"kept": sum(map(bool, contents)), "cpu_s": cpu}}))


if __name__ == "__main__":
    main()
