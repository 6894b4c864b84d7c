using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using StackExchange.Redis;

namespace Millrace.Storage.Bus;

/// <summary>
/// One connection to Redis, from its beginning to its first failure; nothing of it is repaired. The only user of the client library.
/// </summary>
internal sealed class RedisSession : IAsyncDisposable
{
    /// <summary>Entries kept for each run, roughly; times <see cref="LiveBytesMax"/> it bounds what one run can occupy.</summary>
    private const int LiveMax = 500;

    /// <summary>Live output that is larger is shown, and not to those who come late.</summary>
    private const int LiveBytesMax = 32 * 1024;

    private static readonly TimeSpan LiveTime = TimeSpan.FromMinutes(10);
    private static readonly RedisValue EntryField = "m";

    private readonly ConnectionMultiplexer _redis;
    private readonly IDatabase _database;
    private readonly ISubscriber _subscriber;
    private readonly RedisOptions _options;
    private readonly Action<string, byte[]> _arrived;
    private readonly TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly string _channels;

    private RedisSession(ConnectionMultiplexer redis, RedisOptions options, Action<string, byte[]> arrived)
    {
        (_redis, _options, _arrived) = (redis, options, arrived);
        _database = redis.GetDatabase(options.Database);
        _subscriber = redis.GetSubscriber();
        _channels = $"millrace:{options.Database}:";
        redis.ConnectionFailed += (_, e) => _failed.TrySetException(e.Exception ?? new IOException($"The connection failed: {e.FailureType}."));
    }

    /// <param name="arrived">Takes a topic and a frame, in the order they arrive; must not block.</param>
    public static async Task<RedisSession> OpenAsync(RedisOptions options, Action<string, byte[]> arrived, CancellationToken cancel)
    {
        var connecting = ConnectionMultiplexer.ConnectAsync(Configuration(options));
        try
        {
            // Its own limit covers the connection, not a server that takes it and then says nothing.
            return new RedisSession(await connecting.WaitAsync(options.Timeout * 2, cancel), options, arrived);
        }
        catch (Exception)
        {
            _ = connecting.ContinueWith(
                static late =>
                {
                    if (late.IsCompletedSuccessfully) late.Result.Dispose();
                    else _ = late.Exception;
                },
                TaskScheduler.Default);
            throw;
        }
    }

    /// <summary>Ends with an exception when the session has failed, which it also finds out by asking.</summary>
    public async Task WatchAsync(TimeProvider time, CancellationToken cancel)
    {
        using var timer = new PeriodicTimer(_options.Timeout, time);
        var tick = timer.WaitForNextTickAsync(cancel).AsTask();
        while (await Task.WhenAny(tick, _failed.Task) == tick && await tick)
        {
            await LimitAsync(Task.WhenAll(_database.PingAsync(), _subscriber.PingAsync()), cancel);
            tick = timer.WaitForNextTickAsync(cancel).AsTask();
        }

        await _failed.Task;
    }

    public Task SubscribeAsync(IEnumerable<string> topics, CancellationToken cancel) =>
        LimitAsync(Task.WhenAll(topics.Select(topic => _subscriber.SubscribeAsync(_channels + topic, (_, frame) => _arrived(topic, frame)))), cancel);

    public Task UnsubscribeAsync(IEnumerable<string> topics, CancellationToken cancel) =>
        LimitAsync(Task.WhenAll(topics.Select(topic => _subscriber.UnsubscribeAsync(_channels + topic))), cancel);

    /// <summary>Publishes the frames in one go, and keeps live output for those who come a little late.</summary>
    public async Task SendAsync(IReadOnlyList<(string Topic, byte[] Frame, bool IsLiveOutput)> frames, CancellationToken cancel)
    {
        var published = new Task[frames.Count];
        HashSet<string>? live = null;
        for (var i = 0; i < frames.Count; i++)
        {
            var (topic, frame, isLive) = frames[i];
            if (isLive && frame.Length <= LiveBytesMax)
            {
                (live ??= new HashSet<string>(StringComparer.Ordinal)).Add(topic);
                Forget(_database.ExecuteAsync("XADD", LiveKey(topic), "MAXLEN", "~", LiveMax, "*", EntryField, (RedisValue)frame));
            }

            published[i] = _database.PublishAsync(_channels + topic, frame);
        }

        foreach (var topic in live ?? []) Forget(_database.KeyExpireAsync(LiveKey(topic), LiveTime));
        await LimitAsync(Task.WhenAll(published), cancel);
    }

    public async Task<IReadOnlyList<byte[]>> RecentAsync(string topic)
    {
        var reply = await LimitAsync(_database.ExecuteAsync("XRANGE", LiveKey(topic), "-", "+"), CancellationToken.None);
        return [.. ((RedisResult[])reply!).Select(entry => (byte[])((RedisResult[])((RedisResult[])entry!)[1]!)[1]!)];
    }

    public async ValueTask DisposeAsync()
    {
        _failed.TrySetCanceled();
        _ = _failed.Task.Exception;
        try
        {
            await _redis.CloseAsync(allowCommandsToComplete: false).WaitAsync(_options.Timeout);
        }
        catch (Exception)
        {
            // It is being given up in any case.
        }

        _redis.Dispose();
    }

    private static ConfigurationOptions Configuration(RedisOptions options)
    {
        var configuration = new ConfigurationOptions
        {
            EndPoints = { { options.Host, options.Port } },
            DefaultDatabase = options.Database,
            Password = options.Password,
            Ssl = options.Tls,
            SslHost = options.Tls ? options.Host : null,
            ConnectTimeout = (int)options.Timeout.TotalMilliseconds,
            SyncTimeout = (int)options.Timeout.TotalMilliseconds,
            ConnectRetry = 1,
            AbortOnConnectFail = true,
            ClientName = "millrace",
            // Both serve groups of servers that tell each other who leads.
            ConfigurationChannel = "",
            TieBreaker = "",
        };
        if (options.AuthorityFile is { } file) configuration.CertificateValidation += (_, certificate, _, errors) => IsIssuedBy(file, certificate, errors);
        return configuration;
    }

    private static bool IsIssuedBy(string authorityFile, X509Certificate? certificate, SslPolicyErrors errors)
    {
        if (certificate is null || (errors & ~SslPolicyErrors.RemoteCertificateChainErrors) != 0) return false;
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.ImportFromPemFile(authorityFile);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        using var own = X509CertificateLoader.LoadCertificate(certificate.GetRawCertData());
        return chain.Build(own);
    }

    private static string LiveKey(string topic) => $"millrace:live:{topic}";

    /// <summary>A command that may fail without harm, such as when the server has no memory left to keep live output.</summary>
    private static void Forget(Task command) => command.ContinueWith(static c => _ = c.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);

    private Task LimitAsync(Task command, CancellationToken cancel)
    {
        Forget(command);
        return command.WaitAsync(_options.Timeout, cancel);
    }

    private Task<T> LimitAsync<T>(Task<T> command, CancellationToken cancel)
    {
        Forget(command);
        return command.WaitAsync(_options.Timeout, cancel);
    }
}
