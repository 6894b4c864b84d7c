using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Millrace.Storage.Bus;
using Millrace.Tests.Servers;

namespace Millrace.Storage.Tests.Bus;

/// <summary>A server with TLS under an authority of its own, and with a password.</summary>
public sealed class SecuredRedisTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _password = Convert.ToHexString(RandomNumberGenerator.GetBytes(16));
    private readonly int _tlsPort = LoopbackPort.Free();
    private RedisServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        MakeCertificates();
        _server = await RedisServer.StartAsync(
            "--requirepass", _password, "--tls-port", $"{_tlsPort}", "--tls-auth-clients", "no",
            "--tls-cert-file", _folder["server.pem"], "--tls-key-file", _folder["server.key"], "--tls-ca-cert-file", _folder["ca.pem"]);
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Messages_go_through_TLS_with_a_password()
    {
        var options = RedisOptions.Parse($"rediss://:{_password}@localhost:{_tlsPort}/?ca={Uri.EscapeDataString(_folder["ca.pem"])}");
        await using var one = new LinkedHub(options);
        await using var two = new LinkedHub(options);
        await using var subscription = await two.FollowAsync("run:1");
        await one.UpAsync();
        one.Send("run:1", 0, "in secret");
        Assert.Equal("in secret", (await LinkedHub.NextAsync(subscription)).Payload);
        Assert.Single(await two.Link.RecentAsync("run:1"));
    }

    [Fact]
    public async Task A_server_whose_certificate_nobody_vouches_for_and_a_wrong_password_are_refused()
    {
        var stranger = RedisOptions.Parse($"rediss://:{_password}@localhost:{_tlsPort}");
        var otherName = RedisOptions.Parse($"rediss://:{_password}@127.0.0.1:{_tlsPort}/?ca={Uri.EscapeDataString(_folder["ca.pem"])}");
        var wrong = RedisOptions.Parse($"redis://:wrong@127.0.0.1:{_server.Port}");
        foreach (var options in new[] { stranger, otherName, wrong })
            await Assert.ThrowsAnyAsync<Exception>(() => RedisSession.OpenAsync(options, (_, _) => { }, CancellationToken.None));
    }

    private void MakeCertificates()
    {
        var (from, to) = (TimeProvider.System.GetUtcNow().AddDays(-1), TimeProvider.System.GetUtcNow().AddDays(1));
        using var authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var authority = new CertificateRequest("CN=Test authority", authorityKey, HashAlgorithmName.SHA256);
        authority.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        using var authorityCertificate = authority.CreateSelfSigned(from, to);

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.Create(authorityCertificate, from, to, [1, 2, 3]);
        File.WriteAllText(_folder["ca.pem"], authorityCertificate.ExportCertificatePem());
        File.WriteAllText(_folder["server.pem"], certificate.ExportCertificatePem());
        File.WriteAllText(_folder["server.key"], key.ExportPkcs8PrivateKeyPem());
    }
}
