using System.Net;
using System.Security.Cryptography.X509Certificates;
using Google.Protobuf.WellKnownTypes;
using global::Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Millrace.Connectors.Tests.Grpc;

/// <summary>A service of ASP.NET Core's gRPC on a port without TLS, and its proto files by HTTP on another one.</summary>
internal sealed class GreeterDouble : IAsyncDisposable
{
    private readonly WebApplication _app;

    private GreeterDouble(WebApplication app) => _app = app;

    public int Port { get; private set; }

    /// <summary>The one with TLS.</summary>
    public int SecurePort { get; private set; }

    public Uri Protos { get; private set; } = null!;

    /// <param name="certificate">There is a third port, with TLS; it asks for a certificate and takes any, or none.</param>
    public static async Task<GreeterDouble> StartAsync(X509Certificate2? certificate = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddGrpc();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(k =>
        {
            k.Listen(IPAddress.Loopback, 0, l => l.Protocols = HttpProtocols.Http2);
            k.Listen(IPAddress.Loopback, 0, l => l.Protocols = HttpProtocols.Http1);
            if (certificate is null) return;
            k.Listen(IPAddress.Loopback, 0, l =>
            {
                l.Protocols = HttpProtocols.Http2;
                l.UseHttps(certificate, https =>
                {
                    https.ClientCertificateMode = ClientCertificateMode.AllowCertificate;
                    https.AllowAnyClientCertificate();
                });
            });
        });
        var app = builder.Build();
        app.MapGrpcService<Service>();
        app.MapGet("/protos/{**file}", (string file) => File.Exists(PathOf(file)) ? Results.Text(File.ReadAllText(PathOf(file))) : Results.NotFound());
        app.MapGet("/bad/broken.proto", () => Results.Text("syntax = \"proto3\";\nmessage {"));
        app.MapGet("/bad/outside.proto", () => Results.Text("syntax = \"proto3\";\nimport \"../secret.proto\";"));
        var service = new GreeterDouble(app);
        await app.StartAsync();
        var addresses = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Select(a => new Uri(a)).ToList();
        (service.Port, service.Protos) = (addresses[0].Port, new Uri(addresses[1], "/protos/greet.proto"));
        if (certificate is not null) service.SecurePort = addresses[2].Port;
        return service;
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private static string PathOf(string file) => Path.Combine(AppContext.BaseDirectory, "Grpc", file);

    private sealed class Service : Greeter.GreeterBase
    {
        public override Task<HelloReply> SayHello(HelloRequest request, ServerCallContext context) => Task.FromResult(new HelloReply
        {
            Message = context.GetHttpContext().Connection.ClientCertificate is { } certificate ? $"Hello {request.Name}, {certificate.Subject}" : $"Hello {request.Name}",
        });

        public override async Task Repeat(HelloRequest request, IServerStreamWriter<HelloReply> answers, ServerCallContext context)
        {
            for (var i = 1; i <= request.Times; i++) await answers.WriteAsync(new HelloReply { Message = $"{i} {request.Name}" });
        }

        public override async Task<HelloReply> Join(IAsyncStreamReader<HelloRequest> requests, ServerCallContext context)
        {
            var names = new List<string>();
            await foreach (var request in requests.ReadAllAsync()) names.Add(request.Name);
            return new HelloReply { Message = string.Join('+', names) };
        }

        public override async Task Chat(IAsyncStreamReader<HelloRequest> requests, IServerStreamWriter<HelloReply> answers, ServerCallContext context)
        {
            await foreach (var request in requests.ReadAllAsync()) await answers.WriteAsync(new HelloReply { Message = $"Hello {request.Name}" });
        }

        public override Task<Everything> Echo(Everything request, ServerCallContext context) => Task.FromResult(request);

        public override Task<Empty> Fail(HelloRequest request, ServerCallContext context) =>
            throw new RpcException(new Status((StatusCode)request.Times, $"no {request.Name}"));

        public override Task<HeaderReply> Headers(Empty request, ServerCallContext context)
        {
            var reply = new HeaderReply();
            foreach (var header in context.RequestHeaders.Where(h => !h.IsBinary)) reply.Headers[header.Key] = header.Value;
            return Task.FromResult(reply);
        }
    }
}
