// Answers one JSON request a line: {"file": text} with what HashiCorp's parser makes of it, {"format": text} with what
// HashiCorp's formatter makes of it. A problem is a string.
const [hcl2json, tools] = process.argv.slice(2).map((name) => require(name));

const answer = async (request) => {
  try {
    if ("file" in request) return { value: await hcl2json.parse("file.tf", request.file) };
    return { value: await tools.format(request.format) };
  } catch (problem) {
    return { problem: String(problem) };
  }
};

require("readline")
  .createInterface({ input: process.stdin })
  .on("line", async (line) => process.stdout.write(JSON.stringify(await answer(JSON.parse(line))) + "\n"));
