using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Google.Protobuf.Reflection;
using Millrace.Jq;

namespace Millrace.Connectors.Grpc;

using Kind = FieldDescriptorProto.Type;

/// <summary>
/// Reads a message as JSON (protobuf.dev, Encoding; ProtoJSON Format): 64-bit integers are strings, enums names, bytes base64. Fields without presence are
/// there with their defaults, so that what reads the output need not know which were sent. Unknown fields and extensions are left out.
/// </summary>
internal static class ProtoReader
{
    private const int DepthMax = 100;

    /// <exception cref="Refusal">The bytes are no such message: a communication error.</exception>
    public static Json Read(ProtoSchema schema, ProtoMessage message, ReadOnlyMemory<byte> bytes, int depth = 0)
    {
        if (depth > DepthMax) throw Invalid(message);
        var found = new Dictionary<int, Found>();
        var at = 0;
        while (at < bytes.Length)
        {
            var tag = Varint(bytes.Span, ref at, message);
            var (number, wire) = ((int)(tag >> 3), (int)(tag & 7));
            if (number <= 0) throw Invalid(message);
            var raw = Take(bytes, ref at, wire, number, message, 0);
            if (message.Find(number) is not { } field) continue;
            if (!found.TryGetValue(number, out var values)) found[number] = values = new Found();
            values.Add(schema, field, wire, raw, message, depth);
        }
        var built = new JsonObject.Builder();
        foreach (var field in message.Fields)
        {
            if (found.TryGetValue(field.Number, out var values)) built.Set(field.JsonName, values.Value(schema, field, depth));
            else if (!field.HasPresence) built.Set(field.JsonName, field.IsMap ? Json.EmptyObject : field.IsRepeated ? Json.EmptyArray : Default(field));
        }
        return WellKnown.ToJson(schema, message, built.Build(), found.Keys.Count > 0);
    }

    private static Refusal Invalid(ProtoMessage message) =>
        Refusal.Communication(502, "Response invalid", $"The server sent bytes that are no {message.Name} of the proto.");

    private static Json Default(ProtoField field) => field.Kind switch
    {
        Kind.TypeString or Kind.TypeBytes => "",
        Kind.TypeBool => false,
        Kind.TypeEnum => field.Enum!.Name == WellKnown.NullValue ? Json.Null : field.Enum.Default,
        Kind.TypeInt64 or Kind.TypeUint64 or Kind.TypeSint64 or Kind.TypeFixed64 or Kind.TypeSfixed64 => "0",
        _ => 0,
    };

    private static ReadOnlyMemory<byte> Take(ReadOnlyMemory<byte> bytes, ref int at, int wire, int number, ProtoMessage message, int depth)
    {
        var start = at;
        switch (wire)
        {
            case 0:
                Varint(bytes.Span, ref at, message);
                break;
            case 1:
                at += 8;
                break;
            case 5:
                at += 4;
                break;
            case 2:
                var length = Varint(bytes.Span, ref at, message);
                if (length > (ulong)(bytes.Length - at)) throw Invalid(message);
                start = at;
                at += (int)length;
                break;
            case 3:
                if (depth > DepthMax) throw Invalid(message);
                for (var end = at; ; end = at)
                {
                    var tag = Varint(bytes.Span, ref at, message);
                    if ((tag & 7) == 4) return (int)(tag >> 3) == number ? bytes[start..end] : throw Invalid(message);
                    Take(bytes, ref at, (int)(tag & 7), (int)(tag >> 3), message, depth + 1);
                }
            default:
                throw Invalid(message);
        }
        return at <= bytes.Length ? bytes[start..at] : throw Invalid(message);
    }

    private static ulong Varint(ReadOnlySpan<byte> bytes, ref int at, ProtoMessage message)
    {
        ulong value = 0;
        for (var shift = 0; shift < 70; shift += 7)
        {
            if (at >= bytes.Length) throw Invalid(message);
            var next = bytes[at++];
            if (shift < 64) value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80) return value;
        }
        throw Invalid(message);
    }

    private static Json Scalar(ProtoField field, ReadOnlySpan<byte> raw, ProtoMessage message)
    {
        var at = 0;
        switch (field.Kind)
        {
            case Kind.TypeString: return Encoding.UTF8.GetString(raw);
            case Kind.TypeBytes: return Convert.ToBase64String(raw);
            case Kind.TypeDouble: return Real(BinaryPrimitives.ReadDoubleLittleEndian(raw));
            case Kind.TypeFloat:
                var single = BinaryPrimitives.ReadSingleLittleEndian(raw);
                // By its own shortest text: 0.1 stays 0.1.
                return float.IsFinite(single) ? double.Parse(single.ToString("R", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture) : Real(single);
            case Kind.TypeFixed64: return BinaryPrimitives.ReadUInt64LittleEndian(raw).ToString(CultureInfo.InvariantCulture);
            case Kind.TypeSfixed64: return BinaryPrimitives.ReadInt64LittleEndian(raw).ToString(CultureInfo.InvariantCulture);
            case Kind.TypeFixed32: return (long)BinaryPrimitives.ReadUInt32LittleEndian(raw);
            case Kind.TypeSfixed32: return BinaryPrimitives.ReadInt32LittleEndian(raw);
        }
        var value = Varint(raw, ref at, message);
        return field.Kind switch
        {
            Kind.TypeInt64 => ((long)value).ToString(CultureInfo.InvariantCulture),
            Kind.TypeUint64 => value.ToString(CultureInfo.InvariantCulture),
            Kind.TypeSint64 => ((long)(value >> 1) ^ -(long)(value & 1)).ToString(CultureInfo.InvariantCulture),
            Kind.TypeSint32 => (int)((long)(value >> 1) ^ -(long)(value & 1)),
            Kind.TypeInt32 => (int)value,
            Kind.TypeUint32 => (long)(uint)value,
            Kind.TypeBool => value != 0,
            _ => field.Enum!.Name == WellKnown.NullValue ? Json.Null : field.Enum.Names.TryGetValue((int)value, out var name) ? name : (int)value,
        };
    }

    private static Json Real(double value) => double.IsNaN(value) ? "NaN" : double.IsPositiveInfinity(value) ? "Infinity" : double.IsNegativeInfinity(value) ? "-Infinity" : value;

    /// <summary>What has come for one field. A message may come in parts, which count as one put together.</summary>
    private sealed class Found
    {
        private List<Json>? _items;
        private Dictionary<string, Json>? _map;
        private ReadOnlyMemory<byte> _message;
        private Json _scalar;

        public void Add(ProtoSchema schema, ProtoField field, int wire, ReadOnlyMemory<byte> raw, ProtoMessage of, int depth)
        {
            if (field.IsMap) Entry(schema, field.Message!, raw, depth);
            else if (field.Message is { } message)
            {
                if (wire is not (2 or 3)) throw Invalid(of);
                if (field.IsRepeated) (_items ??= []).Add(Read(schema, message, raw, depth + 1));
                else _message = _message.IsEmpty ? raw : (byte[])[.. _message.Span, .. raw.Span];
            }
            else if (wire == ProtoWriter.WireTypeOf(field.Kind))
            {
                var value = Scalar(field, raw.Span, of);
                if (field.IsRepeated) (_items ??= []).Add(value);
                else _scalar = value;
            }
            else if (field.IsRepeated && wire == 2) Packed(field, raw, of);
            else throw Invalid(of);
        }

        public Json Value(ProtoSchema schema, ProtoField field, int depth)
        {
            if (field.IsMap) return JsonObject.Of(_map!.ToArray());
            if (field.IsRepeated) return JsonArray.Of(_items ?? []);
            return field.Message is { } message ? Read(schema, message, _message, depth + 1) : _scalar;
        }

        private void Packed(ProtoField field, ReadOnlyMemory<byte> raw, ProtoMessage of)
        {
            _items ??= [];
            for (var at = 0; at < raw.Length;) _items.Add(Scalar(field, Take(raw, ref at, ProtoWriter.WireTypeOf(field.Kind), field.Number, of, 0).Span, of));
        }

        private void Entry(ProtoSchema schema, ProtoMessage entry, ReadOnlyMemory<byte> raw, int depth)
        {
            var read = Read(schema, entry, raw, depth + 1);
            var (key, value) = (entry.Find(1)!, entry.Find(2)!);
            var name = read[key.JsonName] is { IsNull: false } given ? given : Default(key);
            (_map ??= new(StringComparer.Ordinal))[name.StringOrNull ?? name.ToString()] =
                read.AsObject().TryGet(value.JsonName, out var there) ? there : value.Message is { } message ? Read(schema, message, default, depth + 1) : Default(value);
        }
    }
}
