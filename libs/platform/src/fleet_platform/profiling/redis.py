"""Timings in Redis: one hash per session, which all replicas update."""

import uuid
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from typing_extensions import override

from fleet_platform.profiling.profiling_store import ProfilingStore
from fleet_platform.profiling.timing_buckets import bucket_of
from fleet_platform.profiling.timing_series import TimingSeries
from fleet_platform.profiling.timing_stats import TimingStats
from fleet_platform.redis_connection import RedisConnection, redis_answers

# Field names are <what>|<stage>|<node>. One script call covers all nodes of an execution, so that
# replicas never overwrite each other; the arithmetic is that of TimingSeries. KEYS[2] identifies
# the call, which counts once even if it is sent again because the reply was lost.
_RECORD = """
local key = KEYS[1]
if not redis.call('SET', KEYS[2], '1', 'NX', 'PX', 60000) then return end
if redis.call('HGET', key, 'pipeline') ~= ARGV[1] then
  redis.call('DEL', key)
  redis.call('HSET', key, 'pipeline', ARGV[1])
end
for i = 5, #ARGV, 3 do
  local series = '|' .. ARGV[4] .. '|' .. ARGV[i]
  local ms = tonumber(ARGV[i + 1])
  if redis.call('HINCRBY', key, 'seen' .. series, 1) > tonumber(ARGV[2]) then
    local count = redis.call('HINCRBY', key, 'count' .. series, 1)
    local old = redis.call('HMGET', key, 'mean' .. series, 'm2' .. series, 'min' .. series,
      'max' .. series, 'total' .. series)
    local mean = tonumber(old[1] or '0')
    local distance = ms - mean
    mean = mean + distance / count
    local function text(number) return string.format('%.17g', number) end
    redis.call('HSET', key, 'mean' .. series, text(mean),
      'm2' .. series, text(tonumber(old[2] or '0') + distance * (ms - mean)),
      'min' .. series, text(math.min(tonumber(old[3] or ARGV[i + 1]), ms)),
      'max' .. series, text(math.max(tonumber(old[4] or ARGV[i + 1]), ms)),
      'total' .. series, text(tonumber(old[5] or '0') + ms),
      'last' .. series, ARGV[i + 1])
    redis.call('HINCRBY', key, ARGV[i + 2] .. series, 1)
  end
end
redis.call('PEXPIRE', key, ARGV[3])
"""

_ATTRIBUTES = {
    "mean": "mean_ms",
    "m2": "m2",
    "min": "min_ms",
    "max": "max_ms",
    "total": "total_ms",
    "last": "last_ms",
}


class RedisProfilingStore(ProfilingStore):
    """A `ProfilingStore` in Redis, shared by all replicas."""

    def __init__(self, connection: RedisConnection, ttl_s: float) -> None:
        self._connection = connection
        self._redis = connection.client
        self._ttl_ms = max(1, round(ttl_s * 1000))
        self._record = self._redis.register_script(_RECORD)

    @override
    def record(
        self,
        session_id: str,
        pipeline_digest: str,
        stage: int,
        durations_ms: Mapping[str, float],
        skip_first_n: int,
    ) -> None:
        arguments: list[Any] = [pipeline_digest, skip_first_n, self._ttl_ms, stage]
        for name, duration_ms in durations_ms.items():
            arguments += (name, repr(duration_ms), bucket_of(duration_ms))
        with redis_answers():
            self._record([_key(session_id), f"fleet:profiling-write:{uuid.uuid4()}"], arguments)

    @override
    def summary(self, session_id: str, pipeline_digest: str) -> list[TimingStats]:
        with redis_answers(), self._redis.pipeline() as commands:
            commands.hgetall(_key(session_id))
            commands.pexpire(_key(session_id), self._ttl_ms)
            fields: dict[bytes, bytes] = commands.execute()[0]
        if fields.pop(b"pipeline", b"").decode() != pipeline_digest:
            return []
        series: defaultdict[tuple[int, str], TimingSeries] = defaultdict(TimingSeries)
        for field, value in fields.items():
            what, stage, name = field.decode().split("|", 2)
            _put(series[int(stage), name], what, value)
        return [
            timings.stats(name, stage) for (stage, name), timings in series.items() if timings.count
        ]

    @override
    def reset(self, session_id: str) -> None:
        with redis_answers():
            self._redis.delete(_key(session_id))

    def close(self) -> None:
        """Close the connections; the store must not be used afterwards."""
        self._connection.close()


def _put(series: TimingSeries, what: str, value: bytes) -> None:
    if what == "count":
        series.count = int(value)
    elif what in _ATTRIBUTES:
        setattr(series, _ATTRIBUTES[what], float(value))
    elif what != "seen":
        series.buckets[int(what)] = int(value)


def _key(session_id: str) -> str:
    return f"fleet:profiling:{session_id}"
