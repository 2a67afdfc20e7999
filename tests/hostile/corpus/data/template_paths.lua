-- class: data
-- tries: to read files by the path of a template
-- holds: COMPLETE "held"

local job = core.job()

function job.run(run)
  for _, path in ipairs({ "../moontide.toml", "/etc/passwd", run.data.file, "letter.txt\0", "", ".", "..", "letter.txt/../../moontide.toml" }) do
    if core.template.render(path, {}) then return job.OK, path end
  end
  return job.OK, "held"
end

return job
