using System.Collections.Concurrent;
using Millrace.Connectors.Http.Authentication;
using Millrace.Engine.Functions;

namespace Millrace.Connectors.Http;

/// <summary>Keeps what was made of resources for a while, apart for each workspace and for each way to authenticate.</summary>
internal sealed class KeptResources<T>(int keptMax, TimeSpan lifetime)
{
    private readonly ConcurrentDictionary<string, (T Made, DateTimeOffset Until)> _kept = new(StringComparer.Ordinal);

    public async Task<T> FindAsync(Uri address, AuthenticationPolicy? policy, FunctionContext context, Func<Task<T>> read)
    {
        // One that the workspace keeps itself is at hand, and another text under its name counts at once.
        if (ResourceAddress.Is(address)) return await read();
        var key = $"{context.Workspace} {policy?.Identity(context.Workspace)} {address.AbsoluteUri}";
        var now = context.Time.GetUtcNow();
        if (_kept.TryGetValue(key, out var kept) && kept.Until > now) return kept.Made;
        var made = await read();
        _kept[key] = (made, now + lifetime);
        if (_kept.Count > keptMax)
            foreach (var (other, _) in _kept.OrderBy(k => k.Value.Until).Take(_kept.Count - keptMax)) _kept.TryRemove(other, out _);
        return made;
    }
}
