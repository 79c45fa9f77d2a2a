"""Asks the simulated carrier one thing over its control port and prints the result as JSON."""

import json
import sys

from connector.simulator.control import ask

print(json.dumps(ask(int(sys.argv[1]), sys.argv[2])))
