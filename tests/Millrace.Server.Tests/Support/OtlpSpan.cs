using System.Text;

namespace Millrace.Server.Tests.Support;

/// <summary>A span as it was sent: what an ExportTraceServiceRequest (opentelemetry-proto, trace/v1) says of it.</summary>
/// <param name="Service">The resource's service.name.</param>
/// <param name="Parent">Empty when it has none.</param>
internal sealed record OtlpSpan(string Service, string Name, string Trace, string Id, string Parent)
{
    /// <summary>The numbers are those of the fields in opentelemetry/proto.</summary>
    public static IEnumerable<OtlpSpan> Of(ReadOnlyMemory<byte> request)
    {
        foreach (var resource in All(request, 1))
        {
            var service = All(One(resource, 1), 1).Where(a => Text(a, 1) == "service.name").Select(a => Text(One(a, 2), 1)).FirstOrDefault("");
            foreach (var scope in All(resource, 2))
                foreach (var span in All(scope, 2))
                    yield return new OtlpSpan(service, Text(span, 5), Hex(span, 1), Hex(span, 2), Hex(span, 4));
        }
    }

    private static ReadOnlyMemory<byte> One(ReadOnlyMemory<byte> message, int field) => All(message, field).FirstOrDefault();

    private static string Text(ReadOnlyMemory<byte> message, int field) => Encoding.UTF8.GetString(One(message, field).Span);

    private static string Hex(ReadOnlyMemory<byte> message, int field) => Convert.ToHexStringLower(One(message, field).Span);

    /// <summary>Every value of a field that has a length; fields of other kinds are passed over.</summary>
    private static IEnumerable<ReadOnlyMemory<byte>> All(ReadOnlyMemory<byte> message, int field)
    {
        for (var at = 0; at < message.Length;)
        {
            var key = Number(message, ref at);
            switch (key & 7)
            {
                case 0: Number(message, ref at); break;
                case 1: at += 8; break;
                case 5: at += 4; break;
                case 2:
                    var length = (int)Number(message, ref at);
                    if (key >> 3 == field) yield return message.Slice(at, length);
                    at += length;
                    break;
                default: throw new FormatException($"This is no message of protobuf: kind {key & 7}.");
            }
        }
    }

    private static long Number(ReadOnlyMemory<byte> message, ref int at)
    {
        long number = 0;
        for (var shift = 0; ; shift += 7)
        {
            var part = message.Span[at++];
            number |= (long)(part & 0x7F) << shift;
            if (part < 0x80) return number;
        }
    }
}
