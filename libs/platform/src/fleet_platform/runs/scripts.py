"""The atomic steps of the run store, in Redis' Lua.

A run is a hash. Its field ``record`` is the serialised RunRecord; what changes while the run goes
on (``state``, ``owner``, ``token``, ``heartbeat_ms``, ``stop``) stands beside it and wins over it,
so that a step compares and writes fields and neither parses nor rewrites the record. ``last_write``
and ``last_position`` name the last append: when the driver sends a step again because the
connection broke before the reply, the step is answered, not repeated.

A session's newest run is found through a pointer key, whose name the steps build from the hash:
fine on one primary with replicas, not on a sharded cluster.

Replies: nil = no such run, 0 = refused, anything else = done.
"""

from fleet_platform.runs.run_rules import ACTIVE

RUN_KEY = "fleet:run:"
PROGRESS_KEY = "fleet:progress:"
SESSION_KEY = "fleet:session-run:"

_IS_ACTIVE = " or ".join(f"state == '{number}'" for number in sorted(ACTIVE))

# KEYS[1] the run, KEYS[2] its stream, ARGV[1] milliseconds until they expire.
_COMMON = f"""
local function active(state) return {_IS_ACTIVE} end
local function keep()
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
  redis.call('PEXPIRE', KEYS[2], ARGV[1])
  redis.call('PEXPIRE', '{SESSION_KEY}' .. redis.call('HGET', KEYS[1], 'session'), ARGV[1])
end
"""

# ARGV: ttl, run id, session id, then the fields of the hash.
CREATE = (
    _COMMON
    + f"""
local pointer = '{SESSION_KEY}' .. ARGV[3]
local current = redis.call('GET', pointer)
if current and active(redis.call('HGET', '{RUN_KEY}' .. current, 'state')) then
  return redis.call('HGETALL', '{RUN_KEY}' .. current)
end
redis.call('HSET', KEYS[1], 'session', ARGV[3], unpack(ARGV, 4))
redis.call('SET', pointer, ARGV[2])
keep()
return redis.call('HGETALL', KEYS[1])
"""
)

# ARGV: ttl, owner, now, number of the state RUNNING.
CLAIM = (
    _COMMON
    + """
local state = redis.call('HGET', KEYS[1], 'state')
if not state then return nil end
if not active(state) then return 0 end
redis.call('HINCRBY', KEYS[1], 'token', 1)
redis.call('HSET', KEYS[1], 'owner', ARGV[2], 'heartbeat_ms', ARGV[3], 'state', ARGV[4])
keep()
return redis.call('HGETALL', KEYS[1])
"""
)

# ARGV: ttl, fencing token, now.
HEARTBEAT = (
    _COMMON
    + """
local run = redis.call('HMGET', KEYS[1], 'state', 'token')
if not active(run[1]) or run[2] ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'heartbeat_ms', ARGV[3])
keep()
return 1
"""
)

# ARGV: ttl, fencing token, name of this write, payload, length of the stream; to end the run also
# the number of its final state and the record.
APPEND = (
    _COMMON
    + """
local run = redis.call('HMGET', KEYS[1], 'state', 'token', 'last_write', 'last_position')
if not run[1] then return nil end
if run[3] == ARGV[3] then return run[4] end
if not active(run[1]) or run[2] ~= ARGV[2] then return 0 end
local position = redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[5], '*', 'payload', ARGV[4])
redis.call('HSET', KEYS[1], 'last_write', ARGV[3], 'last_position', position)
if ARGV[6] then redis.call('HSET', KEYS[1], 'state', ARGV[6], 'record', ARGV[7]) end
keep()
return position
"""
)

# ARGV: ttl.
REQUEST_STOP = (
    _COMMON
    + """
if not active(redis.call('HGET', KEYS[1], 'state')) then return 0 end
redis.call('HSET', KEYS[1], 'stop', '1')
keep()
return 1
"""
)
