using System.Globalization;

namespace Millrace.Storage.Bus;

/// <summary>Where the Redis or Valkey server is. No record, so that nobody prints the password by chance.</summary>
public sealed class RedisOptions
{
    private const int PortDefault = 6379;

    public required string Host { get; init; }
    public int Port { get; init; } = PortDefault;

    /// <summary>Installations that share a server are kept apart by it, also where Redis itself does not (pub/sub).</summary>
    public int Database { get; init; }

    public string? Password { get; init; }
    public bool Tls { get; init; }

    /// <summary>A file of certificates (PEM) that the server's must come from; null for those the system trusts.</summary>
    public string? AuthorityFile { get; init; }

    /// <summary>A server that answers nothing for as long counts as away.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <param name="url"><c>redis://[:password@]host[:port][/database]</c>, or <c>rediss://</c> for TLS, there with <c>?ca=FILE</c> for an authority of one's own.</param>
    /// <exception cref="FormatException">Says what is wrong, without the password.</exception>
    public static RedisOptions Parse(string url)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Scheme is not ("redis" or "rediss") || uri.Host.Length == 0)
            throw new FormatException("A Redis address looks like redis://[:password@]host[:port][/database], or rediss:// for TLS.");
        var database = uri.AbsolutePath.Trim('/');
        var number = 0;
        if (database.Length > 0 && !int.TryParse(database, NumberStyles.None, CultureInfo.InvariantCulture, out number))
            throw new FormatException($"A Redis database is a number, not '{database}'.");
        return new RedisOptions
        {
            Host = uri.IdnHost,
            Port = uri.Port > 0 ? uri.Port : PortDefault,
            Database = number,
            Password = PasswordOf(uri.UserInfo),
            Tls = uri.Scheme == "rediss",
            AuthorityFile = AuthorityOf(uri),
        };
    }

    private static string? PasswordOf(string userInfo)
    {
        if (userInfo.Length == 0) return null;
        var colon = userInfo.IndexOf(':', StringComparison.Ordinal);
        var user = colon < 0 ? userInfo : userInfo[..colon];

        // The client library knows AUTH with a password alone.
        if (user is not ("" or "default"))
            throw new FormatException($"Redis users other than 'default' cannot log in here (the address names '{user}'): write redis://:password@host.");
        return colon < 0 ? null : Uri.UnescapeDataString(userInfo[(colon + 1)..]);
    }

    private static string? AuthorityOf(Uri uri)
    {
        if (uri.Query.Length <= 1) return null;
        if (uri.Scheme == "rediss" && uri.Query.StartsWith("?ca=", StringComparison.Ordinal) && !uri.Query.Contains('&', StringComparison.Ordinal))
            return Uri.UnescapeDataString(uri.Query[4..]);
        throw new FormatException("After a rediss:// address comes ?ca=FILE or nothing, after a redis:// address nothing.");
    }
}
