using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Millrace.Connectors.Tls;

/// <summary>Who may vouch for a server: those that the system trusts, and authorities of the operator's own.</summary>
internal sealed class Trust
{
    private readonly X509Certificate2Collection _own = [];

    /// <param name="file">Certificates (PEM); null: none besides the system's.</param>
    /// <exception cref="ArgumentException">The file is not there, or holds none.</exception>
    public Trust(string? file)
    {
        if (file is null) return;
        try
        {
            _own.ImportFromPemFile(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new ArgumentException($"The file of certificate authorities {file} cannot be read: {e.Message}", e);
        }
        if (_own.Count == 0) throw new ArgumentException($"The file of certificate authorities {file} holds no certificate (PEM).");
    }

    /// <summary>Null where the system decides alone.</summary>
    public RemoteCertificateValidationCallback? Callback => _own.Count == 0 ? null : (_, certificate, chain, errors) => IsTrusted(certificate, chain, errors);

    /// <param name="host">Null where the connection knows it.</param>
    public SslClientAuthenticationOptions OptionsFor(ClientCertificate? certificate, string? host = null)
    {
        var options = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = Callback, ClientCertificateContext = certificate?.Context };
        if (host is not null) options.TargetHost = host;
        return options;
    }

    /// <summary>All that are trusted, for a library that knows the system's only when it is given none; null: the system's.</summary>
    public string? ToPem()
    {
        if (_own.Count == 0) return null;
        var all = new StringBuilder();
        using var store = new X509Store(StoreName.Root, StoreLocation.LocalMachine);
        store.Open(OpenFlags.ReadOnly);
        foreach (var certificate in _own.Concat(store.Certificates)) all.Append(certificate.ExportCertificatePem()).Append('\n');
        return all.ToString();
    }

    private bool IsTrusted(X509Certificate? certificate, X509Chain? sent, SslPolicyErrors errors)
    {
        if (errors == SslPolicyErrors.None) return true;
        if (certificate is null || errors != SslPolicyErrors.RemoteCertificateChainErrors) return false;
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(_own);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        foreach (var element in sent?.ChainElements ?? Enumerable.Empty<X509ChainElement>()) chain.ChainPolicy.ExtraStore.Add(element.Certificate);
        using var own = X509CertificateLoader.LoadCertificate(certificate.GetRawCertData());
        return chain.Build(own);
    }
}
