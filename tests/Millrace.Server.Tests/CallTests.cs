using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Millrace.Jq;
using Millrace.Server.Tests.Support;
using Millrace.Tests.Doubles;
using Millrace.Workflows.Kernel;

namespace Millrace.Server.Tests;

/// <summary>Calls of protocols from a document to the other side and back.</summary>
public sealed class CallTests(TestServer server) : IClassFixture<TestServer>, IAsyncLifetime
{
    private OtherSide _there = null!;

    public async ValueTask InitializeAsync() => _there = await OtherSide.StartAsync();

    public async ValueTask DisposeAsync() => await _there.DisposeAsync();

    [Fact]
    public async Task Mcp_is_called_with_an_evaluated_endpoint_and_parameters()
    {
        var output = await OutputAsync("mcp-call", $$"""
              - ask:
                  call: mcp
                  with:
                    method: tools/call
                    parameters: {name: echo, arguments: {said: '${ .said }'} }
                    transport: {http: {endpoint: '{{_there.Base}}mcp/{room}'} }
            """, """{"said": "Hello", "room": 7}""");
        Assert.Equal("Hello", output["arguments"]["said"].AsString());
        Assert.Contains(_there.Arrived, a => a.Path == "/mcp/7");
    }

    [Fact]
    public async Task A_subscription_reads_the_run_while_messages_come()
    {
        var output = await OutputAsync("subscription", $$"""
              - before: {set: {limit: 10}, export: {as: .} }
              - gather:
                  call: asyncapi
                  with:
                    document: {endpoint: '{{_there.Base}}api.yaml'}
                    operation: readings
                    subscription:
                      filter: ${ .payload.n > $context.limit }
                      consume: {until: '${ length == 2 }'}
                      foreach: {item: reading, output: {as: '${ {at: $index, n: $reading.payload.n} }'} }
            """, "{}");
        Assert.Equal("""[{"at":0,"n":15},{"at":1,"n":20}]""", output.ToString());
    }

    [Fact]
    public async Task A_subscription_does_its_tasks_for_each_message_and_ends_by_what_they_made_of_the_run()
    {
        var output = await OutputAsync("for-each-message", $$"""
              - gather:
                  call: asyncapi
                  with:
                    document: {endpoint: '{{_there.Base}}api.yaml'}
                    operation: readings
                    subscription:
                      consume: {until: '${ ($context.seen | length) == 3 }'}
                      foreach:
                        item: reading
                        do:
                        - double: {set: {twice: '${ $reading.payload.n * 2 }'} }
                        - rest: {wait: {milliseconds: 1} }
                        export: {as: '{seen: (($context.seen // []) + [.twice])}'}
              - after: {set: {seen: '${ $context.seen }', gave: '${ . }'} }
            """, "{}");
        Assert.Equal("""{"seen":[10,30,16],"gave":[{"twice":10},{"twice":30},{"twice":16}]}""", output.ToString());
    }

    private async Task<Json> OutputAsync(string name, string tasks, string input)
    {
        var run = await server.StartAsync(name, tasks, input);
        var end = await server.EndAsync(run);
        Assert.True(end == RunPhase.Completed, (await server.GetAsync($"/api/v1/runs/{run}")).Text);
        return (await server.GetAsync($"/api/v1/runs/{run}/output")).Body;
    }

    private sealed class OtherSide : ServiceDouble
    {
        public static async Task<OtherSide> StartAsync()
        {
            var service = new OtherSide();
            await service.RunAsync();
            return service;
        }

        protected override void Map(WebApplication app)
        {
            app.UseWebSockets();
            app.MapGet("/api.yaml", (HttpContext http) => $$"""
                asyncapi: 3.0.0
                servers: {socket: {host: "{{http.Request.Host}}", protocol: ws} }
                channels: {readings: {address: readings} }
                operations: {readings: {action: send, channel: {$ref: '#/channels/readings'} } }
                """);
            app.Map("/readings", async (HttpContext http) =>
            {
                using var socket = await http.WebSockets.AcceptWebSocketAsync();
                foreach (var n in (int[])[5, 15, 8, 20, 30])
                    await socket.SendAsync(System.Text.Encoding.UTF8.GetBytes($$"""{"n": {{n}} }"""), System.Net.WebSockets.WebSocketMessageType.Text, true, http.RequestAborted);
                await socket.ReceiveAsync(new byte[10], http.RequestAborted);
            });
            app.MapPost("/mcp/{room}", async (HttpContext http) =>
            {
                using var reader = new StreamReader(http.Request.Body);
                var request = JsonText.Parse(await reader.ReadToEndAsync());
                if (request["id"].IsNull) return Results.Accepted();
                var result = request["method"].StringOrNull == "initialize"
                    ? JsonText.Parse("""{"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": {"name": "other", "version": "1"}}""") : request["params"];
                return Results.Text(Json.Object([new("jsonrpc", "2.0"), new("id", request["id"]), new("result", result)]).ToString(), "application/json");
            });
        }
    }
}
