
-- Reads.

-- Arguments: the offset after which to read, the limit in entries, and the size in bytes after which to stop. It reads small
-- chunks, because one read of many large entries would delay every other client. The response begins with epoch, tail,
-- the first offset, and the time of the entry at the given offset, or an empty text if it is neither in the log nor the tail.
local function read(keys, args)
  local step = begin(keys, args)
  local epoch, tail = step.epoch, step.tail
  if not epoch then return {} end
  local first = trim_old(step) or text(tail + 1)
  local after = redis.call('XRANGE', step.log_key, args[5] .. '-0', args[5] .. '-0')[1]
  local after_at = after and after[2][2]:match('^%S+\n%d+\n(%d+)') or args[5] == tail and step.tail_at or ''
  local response = { epoch, tail, first, after_at }
  local from, left, bytes = '(' .. args[5] .. '-0', tonumber(args[6]), tonumber(args[7])
  while left > 0 and bytes > 0 do
    local chunk = redis.call('XRANGE', step.log_key, from, '+', 'COUNT', math.min(left, 8))
    if #chunk == 0 then break end
    for _, entry in ipairs(chunk) do
      if bytes <= 0 then break end
      response[#response + 1] = entry[2][2]
      bytes = bytes - #entry[2][2]
      from = '(' .. entry[1]
    end
    left = left - #chunk
  end
  return response
end

-- For each state: epoch, tail, and the time of the entry there, or an empty text if there is no log. The keys are in several
-- slots, so a cluster cannot run it.
local function tails(keys)
  local response = {}
  for i, key in ipairs(keys) do
    local state = redis.call('HMGET', key, 'epoch', 'tail', 'tail_at')
    response[i] = state[1] and state[1] .. ' ' .. state[2] .. ' ' .. (state[3] or '') or ''
  end
  return response
end

local function get_session(keys)
  local state = redis.call('HMGET', keys[1], 'epoch', 'tail', 'tail_at', 'revision', 'status', 'attributes')
  if not state[4] then return {} end
  return { state, redis.call('HGETALL', keys[3]), redis.call('HKEYS', keys[4]) }
end

-- Argument: user. The response: epoch, tail, the time of the entry there, and the user's role or an empty text.
local function get_participant(keys, args)
  local epoch, tail, tail_at, revision = unpack(redis.call('HMGET', keys[1], 'epoch', 'tail', 'tail_at', 'revision'))
  if not revision then return {} end
  local value = redis.call('HGET', keys[2], args[1])
  return { epoch, tail, tail_at, value and value:match('^%a+') or '' }
end

local function get_user(keys)
  return { redis.call('HMGET', keys[1], 'epoch', 'tail', 'tail_at'), redis.call('HKEYS', keys[3]) }
end

-- It only deletes, so it may run when the server is out of memory.
register('read', read, { 'allow-oom' })
register('tails', tails, { 'no-writes' })
register('get_session', get_session, { 'no-writes' })
register('get_participant', get_participant, { 'no-writes' })
register('get_user', get_user, { 'no-writes' })
