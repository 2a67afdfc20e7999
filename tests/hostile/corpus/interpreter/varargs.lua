-- class: interpreter
-- tries: to overflow the stack by arguments
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local function spread(...) return select("#", ...), ... end
  local list = {}
  for i = 1, 250000 do list[i] = i end
  pcall(function() return spread(table.unpack(list)) end)
  pcall(select, -1)
  pcall(select, math.mininteger, 1)
  pcall(function() return spread(spread(table.unpack(list))) end)
  pcall(string.char, table.unpack(list, 1, 255))
  pcall(math.max, table.unpack(list))
  return job.OK, "held"
end

return job
