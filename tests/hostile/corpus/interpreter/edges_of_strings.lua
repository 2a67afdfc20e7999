-- class: interpreter
-- tries: to call string functions at the edges of their ranges
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local most, least = math.maxinteger, math.mininteger
  for _, n in ipairs({ most, least, -1, 0, 2^31, 2^32 + 1, -2^31, most - 1 }) do
    n = n // 1
    pcall(string.sub, "abc", n, n)
    pcall(string.byte, "abc", n, -n)
    pcall(string.find, "abc", "b", n)
    pcall(string.find, "abc", "b", n, true)
    pcall(string.gmatch, "abc", "b", n)
    pcall(string.rep, "", n)
    pcall(string.rep, "", n, "")
    pcall(string.rep, "x", n, "y")
    pcall(string.char, n)
    pcall(utf8.char, n)
    pcall(utf8.codepoint, "abc", n, n)
    pcall(utf8.offset, "abc", n, n)
    pcall(utf8.len, "abc", n, n)
  end
  return job.OK, "held"
end

return job
