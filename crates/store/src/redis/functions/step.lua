-- The commands of Roomcast, each one atomic step over keys of one hash slot. Redis runs them as one library, whose text is
-- the files of this folder one after the other (library.rs): step.lua, session.lua, user.lua, read.lua.
--
-- A denial must be returned before the first write: Redis does not undo the writes of a function that fails.
-- JSON is opaque text here, and no text contains a raw line feed: line feeds separate the fields of an entry.
-- Lua's numbers are exact up to 2^53 but are printed with 14 digits by default, so `text` prints them.

local LIBRARY = '@LIBRARY@'

-- How many arguments are passed at once; Lua can pass about 8,000.
local CHUNK = 1000

-- Keys expire later than necessary by up to this fraction of the shorter retention, so that most steps need not renew them.
local SLACK = 1 / 64

local function register(name, callback, flags)
  redis.register_function({ function_name = LIBRARY .. '_' .. name, callback = callback, flags = flags })
end

local function text(number)
  return string.format('%.0f', number)
end

-- Whether `period` has passed since `start`. The clock may go back after a failover; that counts as passed.
local function has_passed(now, start, period)
  return not start or now < tonumber(start) or now - start >= tonumber(period)
end

-- The beginning of every step: keys 1 and 2, arguments 1 to 4, the time, and the state. `fields` collects the fields of the
-- state that change with the next entry.
local function begin(keys, args)
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local state = redis.call('HMGET', keys[1], 'epoch', 'tail', 'tail_at', 'oldest_at', 'renewed_at', 'revision', 'requirement',
    'participants', 'participants_revision')
  local slack = math.floor(math.min(args[2], args[3]) * SLACK)
  return {
    state_key = keys[1],
    log_key = keys[2],
    log_entries = args[1],
    log_retention = args[2],
    log_expiry = text(args[2] + slack),
    state_expiry = text(args[3] + slack),
    new_epoch = args[4],
    now = now,
    epoch = state[1],
    tail = state[2],
    tail_at = state[3],
    oldest_at = state[4],
    renews = has_passed(now, state[5], slack),
    revision = state[6],
    requirement = state[7],
    participants = state[8],
    participants_revision = state[9],
    fields = {},
  }
end

local function change(step, field, value)
  local fields = step.fields
  fields[#fields + 1], fields[#fields + 2] = field, value
end

-- Renews the expiry of the room's keys except the log's, which `append` renews.
local function renew(step)
  -- A user's room has no participants.
  for _, key in ipairs({ step.state_key, step.pending_key, step.participants_key }) do
    redis.call('PEXPIRE', key, step.state_expiry)
  end
end

-- Removes entries older than the log's retention; returns the offset and the time of the oldest that remains. Offsets are
-- dense and say nothing about time, so the age is read from the entries.
local function trim_old(step)
  while true do
    local first = redis.call('XRANGE', step.log_key, '-', '+', 'COUNT', 1)[1]
    if not first then return nil end
    local published_at = first[2][2]:match('^%S+\n%d+\n(%d+)')
    if step.now - published_at < tonumber(step.log_retention) then
      return first[1]:match('^%d+'), published_at
    end
    redis.call('XDEL', step.log_key, first[1])
  end
end

local function next_offset(step)
  return text((step.tail or 0) + 1)
end

-- Appends an entry and publishes it to the room's subscribers; the log's key is also the name of their channel.
local function append(step, ...)
  local offset, now = next_offset(step), text(step.now)
  if not step.epoch then
    -- Offsets of the new epoch start at 1, so entries of an expired one must not remain.
    redis.call('DEL', step.log_key)
    step.epoch, step.oldest_at = step.new_epoch, now
  elseif has_passed(step.now, step.oldest_at, step.log_retention) then
    local _, oldest_at = trim_old(step)
    step.oldest_at = oldest_at or now
  end
  if step.renews then change(step, 'renewed_at', now) end
  redis.call('HSET', step.state_key, 'epoch', step.epoch, 'tail', offset, 'tail_at', now, 'oldest_at', step.oldest_at,
    unpack(step.fields))
  step.tail, step.fields = offset, {}
  local entry = table.concat({ step.epoch, offset, now, ... }, '\n')
  redis.call('XADD', step.log_key, 'MAXLEN', '=', step.log_entries, offset .. '-0', 'e', entry)
  if step.renews then redis.call('PEXPIRE', step.log_key, step.log_expiry) end
  redis.call('SPUBLISH', step.log_key, entry)
  return { step.epoch, offset, now }
end
