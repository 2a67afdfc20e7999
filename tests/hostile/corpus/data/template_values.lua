-- class: data
-- tries: to run expressions inside of a template by values
-- holds: COMPLETE "Dear {{ 7 * 7 }}{% include \"/etc/passwd\" %}"

local job = core.job()

function job.run(run)
  local text, problem = core.template.render("letter.txt", { name = '{{ 7 * 7 }}{% include "/etc/passwd" %}' })
  return job.OK, text or problem
end

return job
