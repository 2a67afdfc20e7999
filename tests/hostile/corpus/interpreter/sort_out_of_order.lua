-- class: interpreter
-- tries: to lead table.sort out of its list by a comparator that contradicts itself
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  for size = 1, 200 do
    local list = {}
    for i = 1, size do list[i] = i end
    pcall(table.sort, list, function() return true end)
    pcall(table.sort, list, function(a, b) list[#list] = nil return (a or 0) < (b or 0) end)
    pcall(table.sort, list, function(a, b) list[#list + 1] = size return (a or 0) > (b or 0) end)
  end
  return job.OK, "held"
end

return job
