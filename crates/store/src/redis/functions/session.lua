-- The commands of Roomcast, each one atomic step over keys of one hash slot.
--
-- A rule that says no must do so before the first write: Redis does not undo what a failing function wrote.
-- JSON is opaque text here, and no text holds a raw line feed: fields of an entry are separated by them.
-- Lua's numbers are exact up to 2^53 but are printed with 14 digits by default, so `text` prints them.

local LIBRARY = '@LIBRARY@'

-- Lua can hand over about 8,000 arguments at once.
local CHUNK = 1000

-- Keys expire up to this part of the shorter retention later than they have to, so that not every step has to put it off.
local SLACK = 1 / 64

local function text(number)
  return string.format('%.0f', number)
end

-- Whether so much time has gone by since then. A clock may go back, with a failover.
local function is_over(now, since, period)
  return not since or now < tonumber(since) or now - since >= tonumber(period)
end

-- What every step begins with: keys 1 and 2, arguments 1 to 4, the time, and what the state says. `fields` are those of the
-- state that change with the next entry.
local function begin(keys, args)
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local state = redis.call('HMGET', keys[1], 'epoch', 'tail', 'at', 'oldest', 'kept', 'revision', 'requirement',
    'cast', 'cast_revision')
  local slack = math.floor(math.min(args[2], args[3]) * SLACK)
  return {
    state = keys[1],
    log = keys[2],
    log_entries = args[1],
    log_retention = args[2],
    log_expiry = text(args[2] + slack),
    state_expiry = text(args[3] + slack),
    fresh_epoch = args[4],
    now = now,
    epoch = state[1],
    tail = state[2],
    at = state[3],
    oldest = state[4],
    renews = is_over(now, state[5], slack),
    revision = state[6],
    requirement = state[7],
    cast = state[8],
    cast_revision = state[9],
    fields = {},
  }
end

-- The further keys 3 to 5 and arguments 5 and 6 of a step in a session's slot.
local function begin_session(keys, args)
  local step = begin(keys, args)
  step.people, step.owed, step.request = keys[3], keys[4], keys[5]
  step.stamp, step.cap = args[5], tonumber(args[6])
  return step
end

local function change(step, field, value)
  local fields = step.fields
  fields[#fields + 1], fields[#fields + 2] = field, value
end

local function rejected(...)
  return { 'rejected', ... }
end

-- The first answer under the same request id. It is looked up before any rule: a retry of what was done must not
-- be told that it can't be done again.
local function remembered(step)
  local known = step.request and redis.call('GET', step.request)
  if not known then return nil end
  local answer = {}
  for word in known:gmatch('%S+') do answer[#answer + 1] = word end
  if answer[1] ~= step.stamp then return rejected('RequestIdReused') end
  answer[1] = 'duplicate'
  return answer
end

-- Keeps the state for its retention from here on.
local function keep(step)
  -- A user has no people.
  for _, key in ipairs({ step.state, step.owed, step.people }) do
    redis.call('PEXPIRE', key, step.state_expiry)
  end
end

-- Remembers the answer, a list of words, and gives it.
local function finish(step, answer)
  if step.renews then keep(step) end
  if step.request then
    local line = step.stamp .. ' ' .. table.concat(answer, ' ')
    redis.call('SET', step.request, line, 'PX', step.log_retention)
  end
  table.insert(answer, 1, 'done')
  return answer
end

-- Removes entries that are too old from the log's head; gives offset and time of the first one that stays. Offsets are
-- dense whatever the clock does, so age can't be told from a stream's own ids.
local function forget_old(step)
  while true do
    local first = redis.call('XRANGE', step.log, '-', '+', 'COUNT', 1)[1]
    if not first then return nil end
    local published_at = first[2][2]:match('^%S+\n%d+\n(%d+)')
    if step.now - published_at < tonumber(step.log_retention) then
      return first[1]:match('^%d+'), published_at
    end
    redis.call('XDEL', step.log, first[1])
  end
end

local function next_offset(step)
  return text((step.tail or 0) + 1)
end

-- Appends an entry and tells it to those who listen; the log's key is the name of the channel too.
local function append(step, ...)
  local offset, now = next_offset(step), text(step.now)
  if not step.epoch then
    -- What another life left behind would not go with offsets from 1.
    redis.call('DEL', step.log)
    step.epoch, step.oldest = step.fresh_epoch, now
  elseif is_over(step.now, step.oldest, step.log_retention) then
    local _, oldest = forget_old(step)
    step.oldest = oldest or now
  end
  if step.renews then change(step, 'kept', now) end
  redis.call('HSET', step.state, 'epoch', step.epoch, 'tail', offset, 'at', now, 'oldest', step.oldest,
    unpack(step.fields))
  step.tail, step.fields = offset, {}
  local entry = table.concat({ step.epoch, offset, now, ... }, '\n')
  redis.call('XADD', step.log, 'MAXLEN', '=', step.log_entries, offset .. '-0', 'e', entry)
  if step.renews then redis.call('PEXPIRE', step.log, step.log_expiry) end
  redis.call('SPUBLISH', step.log, entry)
  return { step.epoch, offset, now }
end

local function has_one_seat(role)
  return role ~= 'observer'
end

local function parse_person(user, value)
  local role, since, seq = value:match('^(%a+),(%d+),(%d+)$')
  return { user = user, role = role, since = since, seq = tonumber(seq) }
end

local function put_people(step, people)
  step.renews = true
  for from = 1, #people, CHUNK do
    local fields = {}
    for i = from, math.min(from + CHUNK - 1, #people) do
      local person = people[i]
      fields[#fields + 1] = person.user
      fields[#fields + 1] = person.role .. ',' .. person.since .. ',' .. text(person.seq)
    end
    redis.call('HSET', step.people, unpack(fields))
  end
end

-- Those who take part, in their order.
local function get_people(step)
  local people, flat = {}, redis.call('HGETALL', step.people)
  for i = 1, #flat, 2 do people[#people + 1] = parse_person(flat[i], flat[i + 1]) end
  table.sort(people, function(a, b) return a.seq < b.seq end)
  return people
end

-- Those who take part, as an entry has them.
local function cast(people)
  local words = {}
  for i, person in ipairs(people) do words[i] = person.user .. ',' .. person.role .. ',' .. person.since end
  return table.concat(words, ' ')
end

-- The same of the state, which has it once for each revision, so that most publishes need not look at everyone.
local function get_cast(step)
  if step.cast_revision == step.revision then return step.cast end
  return cast(get_people(step))
end

-- The one-seat roles have their holder beside the state, so that a role is chosen without looking at everyone.
local function leave_seat(step, role)
  if has_one_seat(role) then redis.call('HDEL', step.state, 'seat:' .. role) end
end

local function take_seat(step, role, user)
  if has_one_seat(role) then redis.call('HSET', step.state, 'seat:' .. role, user) end
end

-- The end of each command on a session: the answer is the entry's place and time, the revision and the number of
-- the last requirement of feedback.
local function finish_command(step, appended)
  appended[4], appended[5] = step.revision, step.requirement or '0'
  return finish(step, appended)
end

local function next_revision(step)
  step.revision = text((step.revision or 0) + 1)
  change(step, 'revision', step.revision)
end

-- Arguments: bytes of the payload (without participants that are not listed), further bytes that each
-- participant takes beside user and role, status, attributes, expected revision or empty, whether participants
-- are listed, then user and role of each.
local function publish(keys, args)
  local step = begin_session(keys, args)
  local known = remembered(step)
  if known then return known end

  local bytes, each, status, attributes, expected, listed = unpack(args, 7, 12)
  local current = step.revision
  if expected ~= '' and expected ~= (current or '0') then
    return rejected('RevisionMismatch', current or '0')
  end

  bytes = tonumber(bytes)
  local after, people, removed
  if listed == '1' then
    local before, since, stays = current and get_people(step) or {}, {}, {}
    for _, person in ipairs(before) do since[person.user] = person.since end
    local at = next_offset(step)
    after, removed = {}, {}
    for i = 13, #args, 2 do
      local user = args[i]
      after[#after + 1] = { user = user, role = args[i + 1], since = since[user] or at, seq = #after }
      stays[user] = true
    end
    for _, person in ipairs(before) do
      if not stays[person.user] then removed[#removed + 1] = person.user end
    end
    people = cast(after)
  else
    people = current and get_cast(step) or ''
    local comma = 0
    for user, role in people:gmatch('([^, ]+),(%a+)') do
      bytes, comma = bytes + each + comma + #user + #role, 1
    end
  end
  if bytes > step.cap then return rejected('PayloadTooLarge', text(bytes), text(step.cap)) end

  if not current then redis.call('DEL', step.state, step.log, step.people, step.owed) end
  if after then
    redis.call('DEL', step.people)
    put_people(step, after)
    redis.call('HDEL', step.state, 'seat:interviewer', 'seat:interviewee')
    for _, person in ipairs(after) do take_seat(step, person.role, person.user) end
    change(step, 'seq', text(#after))
  end
  next_revision(step)
  change(step, 'status', status)
  change(step, 'attributes', attributes)
  change(step, 'cast', people)
  change(step, 'cast_revision', step.revision)
  local gone = removed and table.concat(removed, ' ') or ''
  local entry = append(step, 'session-updated', step.revision, status, attributes, people, gone)
  return finish_command(step, entry)
end

-- Arguments: bytes of the payload, user, role.
local function select_role(keys, args)
  local step = begin_session(keys, args)
  local known = remembered(step)
  if known then return known end

  local bytes, user, role = unpack(args, 7, 9)
  if not step.revision then return rejected('SessionNotFound') end
  local holder = redis.call('HGET', step.state, 'seat:' .. role)
  if holder and holder ~= user then return rejected('RoleTaken', role) end
  if tonumber(bytes) > step.cap then return rejected('PayloadTooLarge', bytes, text(step.cap)) end

  local person = { user = user, role = role }
  local value = redis.call('HGET', step.people, user)
  if value then
    local before = parse_person(user, value)
    leave_seat(step, before.role)
    person.since, person.seq = before.since, before.seq
  else
    person.since = next_offset(step)
    person.seq = redis.call('HINCRBY', step.state, 'seq', 1) - 1
  end
  put_people(step, { person })
  take_seat(step, role, user)
  next_revision(step)
  return finish_command(step, append(step, 'role-selected', user, role))
end

-- Arguments: bytes of the payload, author or empty, feedback, timestamp or empty, updates, new feedback or empty.
local function update_feedback(keys, args)
  local step = begin_session(keys, args)
  local known = remembered(step)
  if known then return known end

  local bytes, author, feedback, timestamp, updates, new_feedback = unpack(args, 7, 12)
  if not step.revision then return rejected('SessionNotFound') end
  if tonumber(bytes) > step.cap then return rejected('PayloadTooLarge', bytes, text(step.cap)) end

  if author ~= '' then redis.call('HDEL', step.owed, author) end
  if timestamp == '' then timestamp = text(step.now) end
  local entry = append(step, 'feedback-updated', feedback, timestamp, updates, new_feedback)
  return finish_command(step, entry)
end

-- Argument: user.
local function remove_participant(keys, args)
  local step = begin_session(keys, args)
  local known = remembered(step)
  if known then return known end

  local user = args[7]
  if not step.revision then return rejected('SessionNotFound') end
  local value = redis.call('HGET', step.people, user)
  if not value then return rejected('NotAParticipant') end

  leave_seat(step, parse_person(user, value).role)
  redis.call('HDEL', step.people, user)
  next_revision(step)
  return finish_command(step, append(step, 'participant-removed', user))
end

-- Arguments: the users, none for everyone who takes part. The answer: the requirement's number, then the users.
local function require_feedback(keys, args)
  local step = begin_session(keys, args)
  local known = remembered(step)
  if known then return known end

  if not step.revision then return rejected('SessionNotFound') end

  -- Starting from the time, numbers of a session's new life are larger than those of an old one.
  local last = step.requirement
  local number = text(last and last + 1 or step.now)
  local answer = { number }
  for i = 7, #args do answer[#answer + 1] = args[i] end
  if #args < 7 then
    for _, person in ipairs(get_people(step)) do answer[#answer + 1] = person.user end
  end
  redis.call('HSET', step.state, 'requirement', number)
  step.renews = true
  for from = 2, #answer, CHUNK do
    local fields = {}
    for i = from, math.min(from + CHUNK - 1, #answer) do
      fields[#fields + 1] = answer[i]
      fields[#fields + 1] = number
    end
    redis.call('HSET', step.owed, unpack(fields))
  end
  return finish(step, answer)
end

-- Ends what is owed by requirements up to `number`.
local function end_obligation(step, session, number)
  local owed = redis.call('HGET', step.owed, session)
  if owed and tonumber(owed) <= tonumber(number) then
    redis.call('HDEL', step.owed, session)
    append(step, 'feedback-given', session)
  end
end

-- A step in a user's slot: keys 3 to 5, arguments 5 and 6.
local function begin_user(keys, args)
  local step = begin(keys, args)
  step.owed, step.given, step.required = keys[3], keys[4], keys[5]
  step.session, step.number = args[5], args[6]
  return step
end

local function user_requires(keys, args)
  local step = begin_user(keys, args)
  local known = redis.call('GET', step.required)
  if known then return { 'done', known:match('^(%S+) (%S+) (%S+)$') } end

  local appended = append(step, 'feedback-required', step.session)
  redis.call('SET', step.required, table.concat(appended, ' '), 'PX', step.log_retention)
  local owed = redis.call('HGET', step.owed, step.session)
  if not owed or tonumber(owed) < tonumber(step.number) then
    redis.call('HSET', step.owed, step.session, step.number)
  end
  -- The entry says that feedback is owed, so where it was given already, a second one has to say so.
  local given = redis.call('GET', step.given)
  if given then end_obligation(step, step.session, given) end
  keep(step)
  return { 'done', unpack(appended) }
end

local function user_gave(keys, args)
  local step = begin_user(keys, args)
  local given = redis.call('GET', step.given)
  local latest = given and tonumber(given) > tonumber(step.number) and given or step.number
  redis.call('SET', step.given, latest, 'PX', step.log_retention)
  end_obligation(step, step.session, step.number)
  keep(step)
  return { 'done' }
end

-- Argument: the reason.
local function disconnect_user(keys, args)
  local step = begin(keys, args)
  step.owed = keys[3]
  local appended = append(step, 'user-disconnected', args[5])
  keep(step)
  return { 'done', unpack(appended) }
end

-- Arguments: the offset after which to read, how many entries at most, and after how many bytes to stop. Read in
-- small parts, since a read of many large entries would keep everybody else waiting. The answer begins with epoch, tail,
-- the first offset, and when the entry at the offset that was asked for was appended, where it is still there or the last.
local function read(keys, args)
  local step = begin(keys, args)
  local epoch, tail = step.epoch, step.tail
  if not epoch then return {} end
  local first = forget_old(step) or text(tail + 1)
  local asked = redis.call('XRANGE', step.log, args[5] .. '-0', args[5] .. '-0')[1]
  local at = asked and asked[2][2]:match('^%S+\n%d+\n(%d+)') or args[5] == tail and step.at or ''
  local answer = { epoch, tail, first, at }
  local from, left, bytes = '(' .. args[5] .. '-0', tonumber(args[6]), tonumber(args[7])
  while left > 0 and bytes > 0 do
    local part = redis.call('XRANGE', step.log, from, '+', 'COUNT', math.min(left, 8))
    if #part == 0 then break end
    for _, entry in ipairs(part) do
      if bytes <= 0 then break end
      answer[#answer + 1] = entry[2][2]
      bytes = bytes - #entry[2][2]
      from = '(' .. entry[1]
    end
    left = left - #part
  end
  return answer
end

-- Of each state: epoch, tail, and when the entry there was appended, or an empty text where there is no log. The keys are of
-- many slots, so a cluster can't be asked.
local function tails(keys)
  local answer = {}
  for i, key in ipairs(keys) do
    local state = redis.call('HMGET', key, 'epoch', 'tail', 'at')
    answer[i] = state[1] and state[1] .. ' ' .. state[2] .. ' ' .. (state[3] or '') or ''
  end
  return answer
end

local function look_at_session(keys)
  local state = redis.call('HMGET', keys[1], 'epoch', 'tail', 'at', 'revision', 'status', 'attributes')
  if not state[4] then return {} end
  return { state, redis.call('HGETALL', keys[3]), redis.call('HKEYS', keys[4]) }
end

-- Argument: user. The answer: epoch, tail, when the entry there was appended, and the user's role or an empty text.
local function look_at_participant(keys, args)
  local epoch, tail, at, revision = unpack(redis.call('HMGET', keys[1], 'epoch', 'tail', 'at', 'revision'))
  if not revision then return {} end
  local value = redis.call('HGET', keys[2], args[1])
  return { epoch, tail, at, value and value:match('^%a+') or '' }
end

local function look_at_user(keys)
  return { redis.call('HMGET', keys[1], 'epoch', 'tail', 'at'), redis.call('HKEYS', keys[3]) }
end

local function register(name, callback, flags)
  redis.register_function({ function_name = LIBRARY .. '_' .. name, callback = callback, flags = flags })
end

register('publish', publish, {})
register('select_role', select_role, {})
register('update_feedback', update_feedback, {})
register('remove_participant', remove_participant, {})
register('require_feedback', require_feedback, {})
register('user_requires', user_requires, {})
register('user_gave', user_gave, {})
register('disconnect_user', disconnect_user, {})
-- Only ever deletes, so it may run where memory is short.
register('read', read, { 'allow-oom' })
register('tails', tails, { 'no-writes' })
register('look_at_session', look_at_session, { 'no-writes' })
register('look_at_participant', look_at_participant, { 'no-writes' })
register('look_at_user', look_at_user, { 'no-writes' })
