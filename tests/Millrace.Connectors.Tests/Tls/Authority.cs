using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Millrace.Connectors.Tests.Tls;

/// <summary>An authority that no system knows, and a folder for what it issues.</summary>
internal sealed class Authority : IDisposable
{
    private readonly X509Certificate2 _own;
    private static readonly DateTimeOffset From = new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero), To = From.AddYears(60);

    public Authority()
    {
        Directory.CreateDirectory(Folder);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Millrace test authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        _own = request.CreateSelfSigned(From, To);
        System.IO.File.WriteAllText(File, _own.ExportCertificatePem());
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("millrace-tls-").FullName;

    /// <summary>Its certificate in PEM.</summary>
    public string File => Path.Combine(Folder, "authority.pem");

    /// <summary>A certificate for 127.0.0.1 and localhost.</summary>
    public X509Certificate2 Server()
    {
        var (certificate, key) = Issue("CN=127.0.0.1");
        return X509CertificateLoader.LoadPkcs12(X509Certificate2.CreateFromPem(certificate, key).Export(X509ContentType.Pkcs12), null);
    }

    /// <returns>Certificate and key in PEM.</returns>
    public (string Certificate, string Key) Issue(string subject)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        using var made = request.Create(_own, From, To.AddDays(-1), RandomNumberGenerator.GetBytes(8));
        return (made.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
    }

    /// <summary>As <see cref="Issue"/>, as files of the folder.</summary>
    public (string Certificate, string Key) IssueFiles(string subject)
    {
        var (certificate, key) = Issue(subject);
        var (certificateFile, keyFile) = (Path.Combine(Folder, "server.pem"), Path.Combine(Folder, "server.key"));
        System.IO.File.WriteAllText(certificateFile, certificate);
        System.IO.File.WriteAllText(keyFile, key);
        return (certificateFile, keyFile);
    }

    public void Dispose()
    {
        _own.Dispose();
        Directory.Delete(Folder, recursive: true);
    }
}
