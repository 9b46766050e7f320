-- The load for wrk: wrk … URL -- REQUESTS ORDER ROUND NONCE
-- REQUESTS holds a path, a tab and an Accept header a line; ORDER the numbers of lines in the order they are sent.
-- NONCE stands in a path where every request gets a word of its own; ROUND makes it differ from those of other runs.

local count = 0
function setup(thread)
  thread:set("id", count)
  count = count + 1
end

local raw, order, nonce, word, at, sent = {}, {}, "", "", 0, 0

function init(args)
  for line in io.lines(args[1]) do
    local path, accept = line:match("^(.-)\t(.*)$")
    raw[#raw + 1] = wrk.format("GET", path, { ["Accept"] = accept })
  end
  for line in io.lines(args[2]) do
    order[#order + 1] = tonumber(line)
  end
  nonce = args[4] or ""
  word = nonce .. args[3] .. id .. "n"
  at = math.floor(#order / 2) * id -- the second thread begins halfway
end

function request()
  at = at % #order + 1
  sent = sent + 1
  if nonce == "" then
    return raw[order[at]]
  end
  return (raw[order[at]]:gsub(nonce, word .. sent))
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    'RESULT {"requests": %d, "microseconds": %d, "bytes": %d, "median": %d, "p99": %d, "longest": %d, "refused": %d, "broken": %d, "late": %d}\n',
    summary.requests, summary.duration, summary.bytes, latency:percentile(50), latency:percentile(99), latency.max,
    errors.status, errors.connect + errors.read + errors.write, errors.timeout))
end
