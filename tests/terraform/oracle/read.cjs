// Reads a JSON array of requests from standard input and answers each with what HashiCorp's parser makes of it:
// {"file": text} gives the file as JSON, {"expression": text} the tree of an expression, an error is a string.
const { parse, getExpressionAst } = require(process.argv[2]);

const without = (node) => ({
  type: node.type,
  meta: Object.fromEntries(Object.entries(node.meta ?? {}).filter(([key]) => !key.endsWith("Range"))),
  children: (node.children ?? []).map(without),
});

const answer = async (request) => {
  try {
    if ("file" in request) return { value: await parse("file.tf", request.file) };
    return { value: without(await getExpressionAst("file.tf", request.expression)) };
  } catch (problem) {
    return { problem: String(problem) };
  }
};

(async () => {
  const chunks = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  const answers = [];
  for (const request of JSON.parse(Buffer.concat(chunks))) answers.push(await answer(request));
  process.stdout.write(JSON.stringify(answers));
})();
