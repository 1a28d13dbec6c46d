
-- Steps in a user's slot.

-- Reads keys 3 to 5 and arguments 5 and 6 as well.
local function begin_user(keys, args)
  local step = begin(keys, args)
  step.pending_key, step.settled_key, step.required_key = keys[3], keys[4], keys[5]
  step.session, step.requirement = args[5], args[6]
  return step
end

-- Settles the session's pending feedback if its requirement is at most `requirement`.
local function settle(step, session, requirement)
  local pending = redis.call('HGET', step.pending_key, session)
  if pending and tonumber(pending) <= tonumber(requirement) then
    redis.call('HDEL', step.pending_key, session)
    append(step, 'feedback-settled', session)
  end
end

local function add_pending_feedback(keys, args)
  local step = begin_user(keys, args)
  local first = redis.call('GET', step.required_key)
  if first then return { 'done', first:match('^(%S+) (%S+) (%S+)$') } end

  local appended = append(step, 'feedback-required', step.session)
  redis.call('SET', step.required_key, table.concat(appended, ' '), 'PX', step.log_retention)
  local pending = redis.call('HGET', step.pending_key, step.session)
  if not pending or tonumber(pending) < tonumber(step.requirement) then
    redis.call('HSET', step.pending_key, step.session, step.requirement)
  end
  -- If the feedback was submitted already, a second entry cancels the one above.
  local settled = redis.call('GET', step.settled_key)
  if settled then settle(step, step.session, settled) end
  renew(step)
  return { 'done', unpack(appended) }
end

local function settle_feedback(keys, args)
  local step = begin_user(keys, args)
  local settled = redis.call('GET', step.settled_key)
  local latest = settled and tonumber(settled) > tonumber(step.requirement) and settled or step.requirement
  redis.call('SET', step.settled_key, latest, 'PX', step.log_retention)
  settle(step, step.session, step.requirement)
  renew(step)
  return { 'done' }
end

-- Argument: the reason.
local function disconnect_user(keys, args)
  local step = begin(keys, args)
  step.pending_key = keys[3]
  local appended = append(step, 'user-disconnected', args[5])
  renew(step)
  return { 'done', unpack(appended) }
end

register('add_pending_feedback', add_pending_feedback, {})
register('settle_feedback', settle_feedback, {})
register('disconnect_user', disconnect_user, {})
