using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging;

namespace Millrace.Connectors.Tests.Tls;

/// <summary>A service by https that says by which certificate it was asked, and redirects to wherever it is told.</summary>
internal sealed class SecureDouble : IAsyncDisposable
{
    private readonly WebApplication _app;

    private SecureDouble(WebApplication app) => _app = app;

    public Uri Base { get; private set; } = null!;

    public static async Task<SecureDouble> StartAsync(X509Certificate2 certificate)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0, l => l.UseHttps(certificate, https =>
        {
            https.ClientCertificateMode = ClientCertificateMode.AllowCertificate;
            https.AllowAnyClientCertificate();
        })));
        var app = builder.Build();
        app.MapGet("/who", (HttpContext http) => Results.Json(new { subject = http.Connection.ClientCertificate?.Subject }));
        app.MapGet("/redirect", (string to) => Results.Redirect(to));
        app.MapGet("/openapi.json", () => Results.Text("""{"openapi": "3.0.0", "servers": [{"url": "/"}], "paths": {"/who": {"get": {"operationId": "who", "responses": {} } } } }"""));
        var service = new SecureDouble(app);
        await app.StartAsync();
        service.Base = new Uri(app.Urls.First());
        return service;
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();
}
