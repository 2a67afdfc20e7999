-- What the user may see of the call stack: only chunks of job files and their libraries count.
local getinfo, error, pcall, rawequal = debug.getinfo, error, pcall, rawequal
local byte, sub = string.byte, string.sub

local MAX_FRAMES = 20
local MAX_DEPTH = 250
local MAX_TEXT = 8192

local stack = { OUT_OF_MEMORY = "not enough memory" }
local user_sources, names = {}, {}

--- Make the frames of a chunk visible; `source` is its chunk name with the leading "=".
function stack.show(source)
  user_sources[source] = true
end

--- Give a function the name that tracebacks show.
function stack.name(value, name)
  names[value] = name
end

--- Return "file.lua:12: " for the innermost frame of user code, or "".
function stack.position()
  for level = 2, MAX_DEPTH do
    local info = getinfo(level, "Sl")
    if not info then return "" end
    if user_sources[info.source] then return info.short_src .. ":" .. info.currentline .. ": " end
  end
  return ""
end

--- Raise `message` as if the innermost line of user code had.
function stack.raise(message)
  error(stack.position() .. message, 0)
end

local function lift(ok, ...)
  if ok then return ... end
  local problem = ...
  if rawequal(problem, stack.OUT_OF_MEMORY) then error(problem, 0) end
  stack.raise(problem)
end

--- Call a library function; its error gets the line of user code that a wrapper would hide.
function stack.call(library_function, ...)
  return lift(pcall(library_function, ...))
end

local function place(info)
  local name = names[info.func] or info.name
  if info.what == "main" then return "in the file itself" end
  if name then return "in " .. name .. "()" end
  return "in the function of line " .. info.linedefined
end

--- Return the frames of user code as lines, innermost first, without addresses.
function stack.traceback(first_level)
  local lines, count = "", 0
  for level = first_level, MAX_DEPTH do
    local info = getinfo(level, "Slnf")
    if not info then break end
    if user_sources[info.source] then
      count = count + 1
      if count > MAX_FRAMES then return lines .. "\n  ..." end
      lines = lines .. "\n  " .. info.short_src .. ":" .. info.currentline .. ": " .. place(info)
    end
  end
  return lines
end

--- Cut a text at 8 KiB, at the start of a UTF-8 character.
function stack.cut(text, limit)
  limit = limit or MAX_TEXT
  if #text <= limit then return text end
  local last = limit
  while last > limit - 4 and last > 0 and (byte(text, last + 1) & 0xC0) == 0x80 do
    last = last - 1
  end
  return sub(text, 1, last)
end

return stack
