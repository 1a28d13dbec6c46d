
-- Steps in a session's slot: commands and RequireFeedback.

-- Reads keys 3 to 5 and arguments 5 and 6 as well.
local function begin_session(keys, args)
  local step = begin(keys, args)
  step.participants_key, step.pending_key, step.request_key = keys[3], keys[4], keys[5]
  step.fingerprint, step.max_payload = args[5], tonumber(args[6])
  return step
end

local function denied(...)
  return { 'denied', ... }
end

-- The first response under the same request id. It is looked up before any rule: the retry of a command that succeeded
-- must not be denied because the command cannot be executed twice.
local function remembered(step)
  local line = step.request_key and redis.call('GET', step.request_key)
  if not line then return nil end
  local response = {}
  for field in line:gmatch('%S+') do response[#response + 1] = field end
  if response[1] ~= step.fingerprint then return denied('RequestIdReused') end
  response[1] = 'duplicate'
  return response
end

-- Stores the response, a list of fields, under the request id, and returns it.
local function finish(step, response)
  if step.renews then renew(step) end
  if step.request_key then
    local line = step.fingerprint .. ' ' .. table.concat(response, ' ')
    redis.call('SET', step.request_key, line, 'PX', step.log_retention)
  end
  table.insert(response, 1, 'done')
  return response
end

-- The response of a command: position and time of the entry, the revision, and the number of the last requirement.
local function finish_command(step, appended)
  appended[4], appended[5] = step.revision, step.requirement or '0'
  return finish(step, appended)
end

local function next_revision(step)
  step.revision = text((step.revision or 0) + 1)
  change(step, 'revision', step.revision)
end

local function is_exclusive(role)
  return role ~= 'observer'
end

local function parse_participant(user, value)
  local role, added_at, seq = value:match('^(%a+),(%d+),(%d+)$')
  return { user = user, role = role, added_at = added_at, seq = tonumber(seq) }
end

local function put_participants(step, participants)
  step.renews = true
  for from = 1, #participants, CHUNK do
    local fields = {}
    for i = from, math.min(from + CHUNK - 1, #participants) do
      local participant = participants[i]
      fields[#fields + 1] = participant.user
      fields[#fields + 1] = participant.role .. ',' .. participant.added_at .. ',' .. text(participant.seq)
    end
    redis.call('HSET', step.participants_key, unpack(fields))
  end
end

-- The participants in their order.
local function get_participants(step)
  local participants, flat = {}, redis.call('HGETALL', step.participants_key)
  for i = 1, #flat, 2 do participants[#participants + 1] = parse_participant(flat[i], flat[i + 1]) end
  table.sort(participants, function(a, b) return a.seq < b.seq end)
  return participants
end

-- The participants as an entry contains them.
local function participants_text(participants)
  local parts = {}
  for i, participant in ipairs(participants) do
    parts[i] = participant.user .. ',' .. participant.role .. ',' .. participant.added_at
  end
  return table.concat(parts, ' ')
end

-- The text of the current participants. The state caches it for one revision, so that most publishes need not read every
-- participant.
local function current_participants_text(step)
  if step.participants_revision == step.revision then return step.participants end
  return participants_text(get_participants(step))
end

-- The state names the holder of each exclusive role, so that `select_role` need not read every participant.
local function release_role(step, role)
  if is_exclusive(role) then redis.call('HDEL', step.state_key, 'holder:' .. role) end
end

local function assign_role(step, role, user)
  if is_exclusive(role) then redis.call('HSET', step.state_key, 'holder:' .. role, user) end
end

-- The participants after a publish that lists them in arguments 13 and later, and the users that it removes.
local function listed_participants(step, args)
  local before, added_at, is_listed = step.revision and get_participants(step) or {}, {}, {}
  for _, participant in ipairs(before) do added_at[participant.user] = participant.added_at end
  local offset = next_offset(step)
  local after, removed = {}, {}
  for i = 13, #args, 2 do
    local user = args[i]
    after[#after + 1] = { user = user, role = args[i + 1], added_at = added_at[user] or offset, seq = #after }
    is_listed[user] = true
  end
  for _, participant in ipairs(before) do
    if not is_listed[participant.user] then removed[#removed + 1] = participant.user end
  end
  return after, removed
end

local function replace_participants(step, participants)
  redis.call('DEL', step.participants_key)
  put_participants(step, participants)
  redis.call('HDEL', step.state_key, 'holder:interviewer', 'holder:interviewee')
  for _, participant in ipairs(participants) do assign_role(step, participant.role, participant.user) end
  change(step, 'seq', text(#participants))
end

-- Arguments: size of the payload in bytes (without participants that are not listed), further bytes of each participant
-- besides user and role, status, attributes, expected revision or empty, whether participants are listed ('1'), then user and
-- role of each.
local function publish(keys, args)
  local step = begin_session(keys, args)
  local response = remembered(step)
  if response then return response end

  local bytes, bytes_each, status, attributes, expected, is_list = unpack(args, 7, 12)
  local current = step.revision
  if expected ~= '' and expected ~= (current or '0') then
    return denied('RevisionMismatch', current or '0')
  end

  bytes = tonumber(bytes)
  local listed, participants, removed
  if is_list == '1' then
    listed, removed = listed_participants(step, args)
    participants = participants_text(listed)
  else
    participants = current and current_participants_text(step) or ''
    local comma = 0
    for user, role in participants:gmatch('([^, ]+),(%a+)') do
      bytes, comma = bytes + bytes_each + comma + #user + #role, 1
    end
  end
  if bytes > step.max_payload then return denied('PayloadTooLarge', text(bytes), text(step.max_payload)) end

  if not current then redis.call('DEL', step.state_key, step.log_key, step.participants_key, step.pending_key) end
  if listed then replace_participants(step, listed) end
  next_revision(step)
  change(step, 'status', status)
  change(step, 'attributes', attributes)
  change(step, 'participants', participants)
  change(step, 'participants_revision', step.revision)
  removed = removed and table.concat(removed, ' ') or ''
  local entry = append(step, 'session-updated', step.revision, status, attributes, participants, removed)
  return finish_command(step, entry)
end

-- Arguments: size of the payload in bytes, user, role.
local function select_role(keys, args)
  local step = begin_session(keys, args)
  local response = remembered(step)
  if response then return response end

  local bytes, user, role = unpack(args, 7, 9)
  if not step.revision then return denied('SessionNotFound') end
  local holder = redis.call('HGET', step.state_key, 'holder:' .. role)
  if holder and holder ~= user then return denied('RoleTaken', role) end
  if tonumber(bytes) > step.max_payload then return denied('PayloadTooLarge', bytes, text(step.max_payload)) end

  local participant = { user = user, role = role }
  local value = redis.call('HGET', step.participants_key, user)
  if value then
    local before = parse_participant(user, value)
    release_role(step, before.role)
    participant.added_at, participant.seq = before.added_at, before.seq
  else
    participant.added_at = next_offset(step)
    participant.seq = redis.call('HINCRBY', step.state_key, 'seq', 1) - 1
  end
  put_participants(step, { participant })
  assign_role(step, role, user)
  next_revision(step)
  return finish_command(step, append(step, 'role-selected', user, role))
end

-- Arguments: size of the payload in bytes, author or empty, feedback, timestamp or empty, updates, new feedback or empty.
local function update_feedback(keys, args)
  local step = begin_session(keys, args)
  local response = remembered(step)
  if response then return response end

  local bytes, author, feedback, timestamp, updates, new_feedback = unpack(args, 7, 12)
  if not step.revision then return denied('SessionNotFound') end
  if tonumber(bytes) > step.max_payload then return denied('PayloadTooLarge', bytes, text(step.max_payload)) end

  if author ~= '' then redis.call('HDEL', step.pending_key, author) end
  if timestamp == '' then timestamp = text(step.now) end
  local entry = append(step, 'feedback-updated', feedback, timestamp, updates, new_feedback)
  return finish_command(step, entry)
end

-- Argument: user.
local function remove_participant(keys, args)
  local step = begin_session(keys, args)
  local response = remembered(step)
  if response then return response end

  local user = args[7]
  if not step.revision then return denied('SessionNotFound') end
  local value = redis.call('HGET', step.participants_key, user)
  if not value then return denied('NotAParticipant') end

  release_role(step, parse_participant(user, value).role)
  redis.call('HDEL', step.participants_key, user)
  next_revision(step)
  return finish_command(step, append(step, 'participant-removed', user))
end

-- Arguments: the users; none means every participant. The response: the number of the requirement, then the users.
local function require_feedback(keys, args)
  local step = begin_session(keys, args)
  local response = remembered(step)
  if response then return response end

  if not step.revision then return denied('SessionNotFound') end

  -- The first number is the time, so the numbers of a session that is created again exceed those of the expired one.
  local last = step.requirement
  local number = text(last and last + 1 or step.now)
  response = { number }
  for i = 7, #args do response[#response + 1] = args[i] end
  if #args < 7 then
    for _, participant in ipairs(get_participants(step)) do response[#response + 1] = participant.user end
  end
  redis.call('HSET', step.state_key, 'requirement', number)
  step.renews = true
  for from = 2, #response, CHUNK do
    local fields = {}
    for i = from, math.min(from + CHUNK - 1, #response) do
      fields[#fields + 1] = response[i]
      fields[#fields + 1] = number
    end
    redis.call('HSET', step.pending_key, unpack(fields))
  end
  return finish(step, response)
end

register('publish', publish, {})
register('select_role', select_role, {})
register('update_feedback', update_feedback, {})
register('remove_participant', remove_participant, {})
register('require_feedback', require_feedback, {})
