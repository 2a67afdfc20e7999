-- class: interpreter
-- tries: to nest library functions until the machine's own stack is full
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local depth = 0
  local function nest() depth = depth + 1 return (("x"):gsub("x", nest)) end
  local ok = pcall(nest)
  local function sorted() table.sort({ 2, 1 }, function() sorted() return true end) end
  return job.OK, not ok and not pcall(sorted) and depth < 10000 and "held" or "too deep"
end

return job
