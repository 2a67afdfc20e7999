-- class: interpreter
-- tries: to change tables while they are walked
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  for round = 1, 200 do
    local list = {}
    for i = 1, 50 do list[i], list["k" .. i] = i, i end
    pcall(function()
      for key in pairs(list) do
        list[key] = nil
        list[{}], list[#list + 1], list["n" .. round] = 1, 2, 3
        next(list, "missing")
      end
    end)
    pcall(next, list, {})
  end
  return job.OK, "held"
end

return job
