local job = core.job()

function job.run(run)
  local posted, problem, code = core.slack.post(run.data.text)
  return job.OK, { posted = posted, problem = problem, code = code }
end

return job
