using System.Globalization;
using Npgsql;

namespace Millrace.Storage.Postgres;

/// <summary>How one process uses a PostgreSQL database (15 or later).</summary>
public sealed record PostgresOptions
{
    /// <summary>Connections for reading; further reads wait. One more writes, and one listens. 1 to 200.</summary>
    public int ReadersMax { get; init; } = 16;

    /// <summary>How long a write waits for a database that is away before it is refused. 0 to 600,000.</summary>
    public int PatienceMs { get; init; } = 10_000;

    /// <summary>After how long the server ends a transaction whose process says nothing more; it bounds how long a process that hangs keeps its locks. 1,000 to 600,000.</summary>
    public int SilenceMs { get; init; } = 10_000;

    /// <summary>While the database is away, one write per this many milliseconds is tried. 1 to 60,000.</summary>
    public int ProbeIntervalMs { get; init; } = 250;

    /// <summary>A statement that takes longer is given up. 1 to 3,600.</summary>
    public int StatementSeconds { get; init; } = 60;

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>
    /// Reads <c>postgres://user:password@host:port/database?sslmode=verify-full&amp;sslrootcert=FILE</c>: the URI form of libpq, so that its programs take the same address.
    /// Parameters other than these two are Npgsql's.
    /// </summary>
    /// <exception cref="ArgumentException">It is none; the message does not quote the password.</exception>
    public static string ConnectionOf(string uri)
    {
        if (!Uri.TryCreate(uri, UriKind.Absolute, out var parsed) || parsed.Scheme is not ("postgres" or "postgresql"))
            throw new ArgumentException("A PostgreSQL database is named as postgres://user:password@host:port/database.");
        var builder = new NpgsqlConnectionStringBuilder
        {
            Host = parsed.Host.Length == 0 ? "127.0.0.1" : parsed.Host.Trim('[', ']'),
            Port = parsed.Port < 0 ? 5432 : parsed.Port,
            Database = Uri.UnescapeDataString(parsed.AbsolutePath.Trim('/')),
        };
        if (parsed.UserInfo.Split(':', 2) is [{ Length: > 0 } user, ..] account)
        {
            builder.Username = Uri.UnescapeDataString(user);
            if (account.Length == 2) builder.Password = Uri.UnescapeDataString(account[1]);
        }

        foreach (var pair in parsed.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var (name, value) = pair.Split('=', 2) is [var left, var right] ? (left, right) : (pair, "");
            try
            {
                if (name == "sslmode") builder["SSL Mode"] = value.Replace("-", "", StringComparison.Ordinal);
                else builder[name == "sslrootcert" ? "Root Certificate" : Uri.UnescapeDataString(name)] = Uri.UnescapeDataString(value);
            }
            catch (Exception e) when (e is ArgumentException or FormatException)
            {
                throw new ArgumentException($"'{name}' is no parameter of a PostgreSQL connection, or its value is wrong.", e);
            }
        }

        return builder.ConnectionString;
    }

    internal NpgsqlConnectionStringBuilder Complete(string connection, string role)
    {
        Within(ReadersMax, 1, 200, nameof(ReadersMax));
        Within(PatienceMs, 0, 600_000, nameof(PatienceMs));
        Within(SilenceMs, 1_000, 600_000, nameof(SilenceMs));
        Within(ProbeIntervalMs, 1, 60_000, nameof(ProbeIntervalMs));
        Within(StatementSeconds, 1, 3_600, nameof(StatementSeconds));
        return new NpgsqlConnectionStringBuilder(connection)
        {
            ApplicationName = $"millrace {role}",
            CommandTimeout = StatementSeconds,
            Timeout = 5,
            KeepAlive = 15,
            NoResetOnClose = true,
            MaxAutoPrepare = 256,
            AutoPrepareMinUsages = 2,
            Enlist = false,
            IncludeErrorDetail = false,
            Options = string.Create(CultureInfo.InvariantCulture, $"-c idle_in_transaction_session_timeout={SilenceMs} -c tcp_user_timeout={SilenceMs} -c client_min_messages=error"),
        };
    }

    private static void Within(int value, int least, int most, string name)
    {
        if (value < least || value > most)
            throw new ArgumentOutOfRangeException(name, value, $"{name} must be {least} to {most}.");
    }
}
