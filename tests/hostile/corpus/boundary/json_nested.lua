-- class: boundary
-- tries: to exhaust the reader of JSON
-- holds: COMPLETE "held"
-- holds: ERROR "of memory: the limit"

local job = core.job()

function job.run(run)
  local texts = { ("["):rep(500000), ('{"a":'):rep(100000), ("[1,"):rep(200000) }
  for number, text in ipairs(texts) do
    if pcall(core.json.decode, text) then return job.OK, number end
  end
  return job.OK, "held"
end

return job
