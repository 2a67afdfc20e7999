-- class: data
-- tries: to ask for pages that cannot be
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local source = core.data("pages")
  local odd = { -1, 0, 1.5, math.maxinteger, math.mininteger, 2^63, 0 / 0, "1", {}, true }
  for _, value in ipairs(odd) do
    local _, first = source:getPage(value)
    local _, second = source:getPage(1, value)
    local _, third = source:getPage(1, 1, value)
    local _, fourth = source:getPage(1, 1, { [tostring(value)] = value })
    for _, problem in pairs({ first, second, third, fourth }) do
      if problem:find("internal error") then return job.OK, problem end
    end
  end
  return job.OK, "held"
end

return job
