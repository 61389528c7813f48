"""Whether event rules would take events: reads [[pattern, event], ...], writes [true, ...]."""

import json
import sys

from moto.events.models import EventPattern

json.dump([EventPattern.load(json.dumps(pattern)).matches_event(event) for pattern, event in json.load(sys.stdin)], sys.stdout)
