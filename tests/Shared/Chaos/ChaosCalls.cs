namespace Millrace.Tests.Chaos;

/// <summary>Calls of every protocol that the world outside speaks, and runs that go on with a newer version of their definition.</summary>
internal static class ChaosCalls
{
    private const string Kept = "output: { as: $input }";

    public static IReadOnlyList<ChaosKind> All { get; } =
    [
        new("calling", ["open", "told", "tool", "agent", "safe"], 0, [ChaosKind.Completed],
            With("open", "openapi", "document: { endpoint: OUTSIDE/openapi.json }, operationId: record, parameters: { effect: '${ .n + \".open\" }' }") +
            With("told", "asyncapi", "document: { endpoint: OUTSIDE/asyncapi.json }, operation: tell, protocol: http, message: { payload: { effect: '${ .n + \".told\" }' } }") +
            With("tool", "mcp", "method: tools/call, parameters: { name: record, arguments: { effect: '${ .n + \".tool\" }' } }, transport: { http: { endpoint: OUTSIDE/mcp } }") +
            With("agent", "a2a", "method: message/send, server: OUTSIDE/a2a, parameters: { message: { parts: [ { kind: text, text: '${ .n + \".agent\" }' } ] } }") +
            With("safe", "http", "method: post, endpoint: { uri: 'OUTSIDE/guarded/${ .n }.safe', authentication: { oauth2: { authority: OUTSIDE, grant: client_credentials, client: { id: chaos, secret: on-purpose } } } }, body: {}")),
        new("remote", ["rpc", "b"], 0, [ChaosKind.Completed],
            With("rpc", "grpc", "proto: { endpoint: OUTSIDE/effects.proto }, service: { name: Effects, host: RPCHOST, port: RPCPORT }, method: Record, arguments: { name: '${ .n + \".rpc\" }' }", "metadata: { tls: false }, ") + ChaosWork.Call("b")),
        new("upgraded", ["a", "b", "f.b", "f.c"], 0, [ChaosKind.Completed], ChaosWork.Call("a") + ChaosWork.Rest + ChaosWork.Call("b"))
        {
            Sequel = ChaosSequel.Upgrade, Newer = ChaosWork.Call("a") + ChaosWork.Rest + ChaosWork.Call("b") + ChaosWork.Call("c"),
        },
    ];

    private static string With(string name, string call, string arguments, string more = "") => $"  - {name}: {{ call: {call}, {more}with: {{ {arguments} }}, {Kept} }}\n";
}
