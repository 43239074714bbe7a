"""The atomic steps of the run store, as Lua scripts for Redis.

A run is a hash. Its field ``record`` is the serialised RunRecord. Values that change during the run
(``state``, ``owner``, ``token``, ``heartbeat_ms``, ``attempts``, ``checkpoint``, ``stop``) are
separate fields that override the record, so that a script compares and writes fields without
parsing or rewriting the record. ``last_write`` and ``last_position`` identify the last append: if
the driver sends a script again because the connection broke before the reply, the script returns
the previous result instead of repeating the write.

A pointer key names a session's newest run. A sorted set lists the runs that have not ended, in
order of creation. A run is removed from it when it ends or, if it has expired, when the
set is next read. The scripts build key names from stored values, which works on one primary
with replicas but not on a sharded cluster.

Replies: nil = no such run, 0 = rejected, anything else = success.
"""

from fleet_platform.runs.run_rules import ACTIVE, REJECTED
from fleet_proto.records.v1.records_pb2 import RunState

RUN_KEY = "fleet:run:"
PROGRESS_KEY = "fleet:progress:"
SESSION_KEY = "fleet:session-run:"
ACTIVE_KEY = "fleet:active-runs"
ORDER_KEY = "fleet:run-order"

_QUEUED = int(RunState.RUN_STATE_QUEUED)
_RUNNING = int(RunState.RUN_STATE_RUNNING)
_REJECTED = int(REJECTED)
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
local state = redis.call('HGET', KEYS[1], 'state')
if state and state ~= '{_REJECTED}' then return redis.call('HGETALL', KEYS[1]) end
local pointer = '{SESSION_KEY}' .. ARGV[3]
local current = redis.call('GET', pointer)
if current and active(redis.call('HGET', '{RUN_KEY}' .. current, 'state')) then
  return redis.call('HGETALL', '{RUN_KEY}' .. current)
end
local token = redis.call('HGET', KEYS[1], 'token') or '0'
redis.call('DEL', KEYS[1], KEYS[2])
redis.call('HSET', KEYS[1], 'session', ARGV[3], 'token', token, unpack(ARGV, 4))
redis.call('SET', pointer, ARGV[2])
redis.call('ZADD', '{ACTIVE_KEY}', redis.call('INCR', '{ORDER_KEY}'), ARGV[2])
keep()
return redis.call('HGETALL', KEYS[1])
"""
)

# No arguments. Returns five values per run: id, session, state, token, heartbeat.
LIST_ACTIVE = f"""
local function active(state) return {_IS_ACTIVE} end
local found = {{}}
for _, id in ipairs(redis.call('ZRANGE', '{ACTIVE_KEY}', 0, -1)) do
  local run = redis.call('HMGET', '{RUN_KEY}' .. id, 'session', 'state', 'token', 'heartbeat_ms')
  if active(run[2]) then
    for _, value in ipairs({{id, run[1], run[2], run[3], run[4] or '0'}}) do
      table.insert(found, value)
    end
  else
    redis.call('ZREM', '{ACTIVE_KEY}', id)
  end
end
return found
"""

# ARGV: ttl, owner, now, the expected token or an empty string. If it is sent again because the
# reply was lost, it finds its own result: the same owner with the next token.
CLAIM = (
    _COMMON
    + f"""
local run = redis.call('HMGET', KEYS[1], 'state', 'token', 'owner')
if not run[1] then return nil end
if not active(run[1]) then return 0 end
if ARGV[4] ~= '' and run[2] ~= ARGV[4] then
  if run[3] ~= ARGV[2] or tonumber(run[2]) ~= tonumber(ARGV[4]) + 1 then return 0 end
else
  redis.call('HINCRBY', KEYS[1], 'token', 1)
  redis.call('HINCRBY', KEYS[1], 'attempts', 1)
end
redis.call('HSET', KEYS[1], 'owner', ARGV[2], 'heartbeat_ms', ARGV[3], 'state', {_RUNNING})
keep()
return redis.call('HGETALL', KEYS[1])
"""
)

# ARGV: ttl, fencing token, now.
HEARTBEAT = (
    _COMMON
    + """
local run = redis.call('HMGET', KEYS[1], 'state', 'token', 'stop')
if not active(run[1]) or run[2] ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'heartbeat_ms', ARGV[3])
keep()
return run[3] and 2 or 1
"""
)

# ARGV: ttl, fencing token, whether the owner died (1) or released the run (0).
RELEASE = (
    _COMMON
    + f"""
local run = redis.call('HMGET', KEYS[1], 'state', 'token', 'attempts')
if run[1] ~= '{_RUNNING}' or run[2] ~= ARGV[2] then return 0 end
redis.call('HINCRBY', KEYS[1], 'token', 1)
redis.call('HDEL', KEYS[1], 'owner')
redis.call('HSET', KEYS[1], 'state', {_QUEUED})
if ARGV[3] == '0' and tonumber(run[3] or 0) > 0 then
  redis.call('HINCRBY', KEYS[1], 'attempts', -1)
end
keep()
return 1
"""
)

# ARGV: ttl, fencing token, digest of the checkpoint.
SAVE_CHECKPOINT = (
    _COMMON
    + """
local run = redis.call('HMGET', KEYS[1], 'state', 'token')
if not run[1] then return nil end
if not active(run[1]) or run[2] ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'checkpoint', ARGV[3], 'attempts', 0)
keep()
return 1
"""
)

# ARGV: ttl; fencing token or, for a run that must be QUEUED, an empty string; name of this write;
# payload; maximum length of the stream. To end the run, also the number of its final state, the
# record and the run's id.
APPEND = (
    _COMMON
    + f"""
local run = redis.call('HMGET', KEYS[1], 'state', 'token', 'last_write', 'last_position')
if not run[1] then return nil end
if run[3] == ARGV[3] then return run[4] end
if ARGV[2] == '' then
  if run[1] ~= '{_QUEUED}' then return 0 end
elseif not active(run[1]) or run[2] ~= ARGV[2] then
  return 0
end
local position = redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[5], '*', 'payload', ARGV[4])
redis.call('HSET', KEYS[1], 'last_write', ARGV[3], 'last_position', position)
if ARGV[6] then
  redis.call('HSET', KEYS[1], 'state', ARGV[6], 'record', ARGV[7])
  redis.call('HDEL', KEYS[1], 'checkpoint')
  redis.call('ZREM', '{ACTIVE_KEY}', ARGV[8])
end
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
