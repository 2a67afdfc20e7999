-- class: data
-- tries: to become part of the engine's SQL by a query
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local source = core.data("queries")
  source:save({ _id = "a", owner = "other" })
  local queries = {
    { ["owner') OR 1=1 --"] = "x" }, { owner = { ["$where"] = "1" } }, { ["$or"] = { {} } }, { owner = { ["$regex"] = "(a+)+$" } },
    { ["$expr"] = {} }, { ["owner.$.x"] = 1 }, { [""] = 1 }, { ["a\0b"] = 1 }, { owner = { ["$gt"] = {} } }, { owner = { ["$in"] = {} } },
    { [("a."):rep(1000)] = 1 }, { ['"'] = 1 }, { ["'"] = 1 }, { ["$[0]"] = 1 }, { ["owner\\"] = "other" },
  }
  for number, query in ipairs(queries) do
    local rows, problem = source:getPage(1, 10, core.ASC, query)
    if rows and #rows > 0 then return job.OK, number end
    if problem and problem:find("internal error") then return job.OK, { number, problem } end
  end
  return job.OK, "held"
end

return job
