-- class: data
-- tries: to nest folders deeper than the machine can remove
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  local path = "deep"
  for _ = 1, 100 do path = path .. "/d" end
  local made = core.files.write(path .. "/x.txt", "x")
  while path ~= "" do
    core.files.remove(path .. "/x.txt")
    core.files.remove(path)
    path = path:match("^(.*)/[^/]*$") or ""
  end
  return job.OK, made and "nested" or "held"
end

return job
