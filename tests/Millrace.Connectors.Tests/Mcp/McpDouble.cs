using System.ComponentModel;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Tests.Doubles;
using ModelContextProtocol;
using ModelContextProtocol.Server;

namespace Millrace.Connectors.Tests.Mcp;

/// <summary>A server of the protocol's own library for C#, by streamable HTTP: at <c>/mcp</c>, and at <c>/closed/mcp</c> for who has the right token.</summary>
internal sealed class McpDouble : ServiceDouble
{
    public const string Token = "let-me-in-0815";

    public Uri Open => new(Base, "mcp");

    public Uri Closed => new(Base, "closed/mcp");

    public static async Task<McpDouble> StartAsync()
    {
        var service = new McpDouble();
        await service.RunAsync();
        return service;
    }

    protected override void Prepare(WebApplicationBuilder builder) =>
        builder.Services.AddMcpServer(o => o.ServerInfo = new() { Name = "double", Version = "1" }).WithHttpTransport(o => o.Stateless = false)
            .WithTools<Tools>().WithPrompts<Prompts>();

    protected override void Map(WebApplication app)
    {
        app.Use(async (http, next) =>
        {
            if (http.Request.Path.StartsWithSegments("/closed") && http.Request.Headers.Authorization != $"Bearer {Token}") http.Response.StatusCode = 401;
            else await next(http);
        });
        app.MapMcp("/mcp");
        app.MapMcp("/closed/mcp");
    }

    [McpServerToolType]
    private sealed class Tools
    {
        [McpServerTool(Name = "add"), Description("Adds two numbers.")]
        public static string Add(int a, int b) => (a + b).ToString(System.Globalization.CultureInfo.InvariantCulture);

        [McpServerTool(Name = "count"), Description("Counts aloud.")]
        public static string Count(int to, IProgress<ProgressNotificationValue> progress)
        {
            for (var i = 1; i <= to; i++) progress.Report(new ProgressNotificationValue { Progress = i, Total = to });
            return "counted";
        }

        [McpServerTool(Name = "broken"), Description("Fails.")]
        public static string Broken() => throw new McpException("it is broken");

        [McpServerTool(Name = "endless"), Description("Waits until it is given up.")]
        public static async Task<string> EndlessAsync(CancellationToken cancel)
        {
            var never = new TaskCompletionSource<string>();
            await using var _ = cancel.Register(() => never.TrySetCanceled());
            return await never.Task;
        }
    }

    [McpServerPromptType]
    private sealed class Prompts
    {
        [McpServerPrompt(Name = "greet"), Description("A greeting.")]
        public static string Greet(string name) => $"Greet {name}.";
    }
}
