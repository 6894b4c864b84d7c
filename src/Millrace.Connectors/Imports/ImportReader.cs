using System.Text;
using Millrace.Connectors.Http;
using Millrace.Connectors.Http.Authentication;
using Millrace.Jq;
using Millrace.Workflows.Documents;

namespace Millrace.Connectors.Imports;

/// <summary>Reads what a definition is compiled with from elsewhere: once, when it is pushed.</summary>
public sealed class ImportReader
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly HttpSender _sender;

    internal ImportReader(HttpSender sender) => _sender = sender;

    /// <summary>The longest that reading all imports of one document may take.</summary>
    public static TimeSpan TimeLimit { get; } = TimeSpan.FromSeconds(30);

    /// <param name="secret">The secrets of the workspace; only those that the document lists are asked for.</param>
    /// <returns>The text, or why there is none. Never throws for what is at the address.</returns>
    public async Task<Imported> ReadAsync(ImportNeed need, Guid organisation, Guid workspace, Func<string, Json?> secret, TimeProvider time, CancellationToken cancel)
    {
        try
        {
            var address = new Uri(need.Address);
            if (ResourceAddress.Is(address)) address = HttpAddress.Parse(need.Address, need.Pointer, files: false);
            var bytes = address.IsFile ? await FileAsync(address, cancel)
                : await FetchAsync(address, need, new PushContext(organisation, workspace, name => need.Secrets.Contains(name) ? secret(name) : null, time), cancel);
            if (bytes.Length > Imported.BytesMax) return Failed(need, $"it has {bytes.Length} bytes, the limit is {Imported.BytesMax}.");
            return new Imported(need.Address, Utf8.GetString(bytes.Span));
        }
        catch (Refusal refusal)
        {
            return Failed(need, refusal.Message);
        }
        catch (DecoderFallbackException)
        {
            return Failed(need, "it is no text in UTF-8.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Failed(need, LocalFile.Why(e));
        }
    }

    private Task<ReadOnlyMemory<byte>> FileAsync(Uri address, CancellationToken cancel) => _sender.ReadsFiles ? LocalFile.ReadAsync(address, Imported.BytesMax, cancel)
        : throw Refusal.Configuration("Files refused", "this server reads no files of its machine.");

    private async Task<ReadOnlyMemory<byte>> FetchAsync(Uri address, ImportNeed need, PushContext context, CancellationToken cancel)
    {
        var redaction = new Redaction();
        var policy = need.Authentication.IsNull ? null : AuthenticationPolicy.Read(new Arguments(need.Authentication, "/authentication"), null, context, redaction);
        var answer = await ExternalResource.FetchAsync(address, policy, _sender, context, redaction, cancel);
        if (!answer.IsSuccess) throw Refusal.Communication(answer.Status, "No content", $"it answered {answer.Status}.");
        return answer.Content;
    }

    private static Imported Failed(ImportNeed need, string why) => new(need.Address, null, why);
}
