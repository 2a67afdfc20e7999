-- All that a run cannot know from its inputs comes from here: time, processor time, chance.
-- To repeat a run exactly, replace these functions. The worker's zone is UTC, so os.date and os.time are UTC.
local modules = ...
local rpc, stack = modules.rpc, modules.stack
local os_time, os_date, os_clock, os_difftime = os.time, os.date, os.clock, os.difftime
local random, randomseed, string_unpack, raw_format = math.random, math.randomseed, string.unpack, string.format

local clock_start, asked = 0, false
local seed_high, seed_low

local function asking(ask)
  return function(...)
    asked = true
    return stack.call(ask, ...)
  end
end

local sources = { time = asking(os_time), date = asking(os_date), difftime = os_difftime }

--- Processor seconds since the run began.
function sources.clock()
  asked = true
  return os_clock() - clock_start
end

--- A random (version 4) UUID.
function sources.uuid()
  local high, low = string_unpack(">I8I8", rpc("random"))
  high = (high & 0xffffffffffff0fff) | 0x4000
  low = (low & 0x3fffffffffffffff) | (1 << 63)
  return raw_format(
    "%08x-%04x-%04x-%04x-%012x",
    high >> 32, (high >> 16) & 0xffff, high & 0xffff, low >> 48, low & 0xffffffffffff
  )
end

--- Called once with 16 bytes of chance, when the run begins: forked workers would otherwise share one series of
-- random numbers.
function sources.begin(seed)
  clock_start, asked = os_clock(), false
  seed_high, seed_low = string_unpack(">i8i8", seed)
  randomseed(seed_high, seed_low)
end

--- Whether anything since the beginning may turn out otherwise the next time: the time was asked for, or chance.
function sources.varied()
  local drawn = random(0)
  randomseed(seed_high, seed_low)
  return asked or drawn ~= random(0)
end

return sources
