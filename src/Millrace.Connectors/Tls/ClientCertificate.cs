using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Millrace.Connectors.Http;

namespace Millrace.Connectors.Tls;

/// <summary>By what a caller says who it is when the connection is made (mutual TLS).</summary>
internal sealed class ClientCertificate
{
    private readonly X509Certificate2Collection _others;

    private ClientCertificate(X509Certificate2 own, X509Certificate2Collection others, string pem, string key, string? passphrase)
    {
        (Own, _others, Pem, Key, Passphrase) = (own, others, pem, key, passphrase);
        Identity = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes($"{pem}\0{key}")));
    }

    /// <summary>With its private key.</summary>
    public X509Certificate2 Own { get; }

    /// <summary>The certificate and those that lead to its authority.</summary>
    public string Pem { get; }

    public string Key { get; }
    public string? Passphrase { get; }

    /// <summary>Tells it apart from others, without holding the key.</summary>
    public string Identity { get; }

    public SslStreamCertificateContext Context => field ??= SslStreamCertificateContext.Create(Own, _others, offline: true);

    /// <param name="scheme"><c>certificate</c> and <c>key</c> in PEM, and the key's <c>passphrase</c> if it has one. One text may hold both.</param>
    /// <exception cref="Refusal">They are none, or do not belong together.</exception>
    public static ClientCertificate Read(Arguments scheme, Redaction redaction)
    {
        var (pem, passphrase) = (scheme.Text("certificate"), scheme.TextOrNull("passphrase"));
        var key = scheme.TextOrNull("key") ?? pem;
        redaction.Add(key);
        if (passphrase is not null) redaction.Add(passphrase);
        try
        {
            var all = new X509Certificate2Collection();
            all.ImportFromPem(pem);
            var own = passphrase is null ? X509Certificate2.CreateFromPem(pem, key) : X509Certificate2.CreateFromEncryptedPem(pem, key, passphrase);
            return new ClientCertificate(own, [.. all.Skip(1)], pem, key, passphrase);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            // What the library says of it may quote the key.
            throw Refusal.Configuration("Certificate invalid", $"The argument {scheme.PointerTo("certificate")} is no certificate in PEM, or its key is not its own or needs another passphrase.");
        }
    }
}
