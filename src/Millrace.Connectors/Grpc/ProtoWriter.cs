using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Google.Protobuf.Reflection;
using Millrace.Jq;

namespace Millrace.Connectors.Grpc;

using Kind = FieldDescriptorProto.Type;

/// <summary>Writes JSON as a message (protobuf.dev, Encoding; ProtoJSON Format). What does not fit is refused with its JSON pointer.</summary>
internal sealed class ProtoWriter(ProtoSchema schema)
{
    private const int DepthMax = 100;

    private readonly ArrayBufferWriter<byte> _out = new();

    public static byte[] Write(ProtoSchema schema, ProtoMessage message, Json value, string pointer)
    {
        var writer = new ProtoWriter(schema);
        writer.Message(message, value, pointer, 0);
        return writer._out.WrittenSpan.ToArray();
    }

    private void Message(ProtoMessage message, Json value, string pointer, int depth)
    {
        if (depth > DepthMax) throw Refusal.Configuration("Argument invalid", $"The argument {pointer} is nested more than {DepthMax} messages deep.");
        value = WellKnown.ToMessage(schema, message, value, pointer);
        if (!value.IsObject) throw Arguments.Wrong(pointer, $"an object, the message {message.Name}", value);
        HashSet<string>? given = null;
        foreach (var (name, member) in value.AsObject())
        {
            var at = Workflows.Graph.Pointer.Of(pointer, name);
            var field = message.Find(name) ?? throw Refusal.Configuration("Argument unknown",
                $"The message {message.Name} has no field '{name}' ({at}); it has {string.Join(", ", message.Fields.Select(f => f.JsonName).Take(20))}.");
            if (member.IsNull && !WellKnown.TakesNull(field)) continue;
            if (field.OneOf is { } choice && !(given ??= new(StringComparer.Ordinal)).Add(choice))
                throw Refusal.Configuration("Argument invalid", $"Only one field of '{choice}' of {message.Name} may be given; {at} is a second one.");
            Field(field, member, at, depth);
        }
        if (message.Fields.FirstOrDefault(f => f.IsRequired && value[f.JsonName].IsNull && value[f.Name].IsNull) is { } missing)
            throw Refusal.Configuration("Argument missing", $"The argument {Workflows.Graph.Pointer.Of(pointer, missing.JsonName)} is missing.");
    }

    private void Field(ProtoField field, Json value, string pointer, int depth)
    {
        if (field.IsMap) Map(field, value, pointer, depth);
        else if (!field.IsRepeated) Single(field, value, pointer, depth);
        else
        {
            var items = value.ArrayOrNull ?? throw Arguments.Wrong(pointer, "a list", value);
            if (field.IsPacked) Nested(field.Number, inner => { for (var i = 0; i < items.Count; i++) inner.Scalar(field, items[i], $"{pointer}/{i}"); });
            else
                for (var i = 0; i < items.Count; i++) Single(field, items[i], $"{pointer}/{i}", depth);
        }
    }

    private void Map(ProtoField field, Json value, string pointer, int depth)
    {
        var members = value.ObjectOrNull ?? throw Arguments.Wrong(pointer, "an object", value);
        var (key, inner) = (field.Message!.Find(1)!, field.Message.Find(2)!);
        foreach (var (name, member) in members)
        {
            var at = Workflows.Graph.Pointer.Of(pointer, name);
            Json keyValue = key.Kind == Kind.TypeBool ? name switch { "true" => true, "false" => false, _ => throw Arguments.Wrong(at, "named true or false", name) } : name;
            Nested(field.Number, entry =>
            {
                entry.Single(key, keyValue, at, depth);
                entry.Single(inner, member, at, depth + 1);
            });
        }
    }

    private void Single(ProtoField field, Json value, string pointer, int depth)
    {
        if (field.Kind == Kind.TypeGroup)
        {
            Varint((uint)(field.Number << 3 | 3));
            Message(field.Message!, value, pointer, depth + 1);
            Varint((uint)(field.Number << 3 | 4));
        }
        else if (field.Message is { } message) Nested(field.Number, inner => inner.Message(message, value, pointer, depth + 1));
        else
        {
            Varint((uint)(field.Number << 3 | WireTypeOf(field.Kind)));
            Scalar(field, value, pointer);
        }
    }

    private void Nested(int number, Action<ProtoWriter> write)
    {
        var inner = new ProtoWriter(schema);
        write(inner);
        Varint((uint)(number << 3 | 2));
        Varint((ulong)inner._out.WrittenCount);
        _out.Write(inner._out.WrittenSpan);
    }

    public static int WireTypeOf(Kind kind) => kind switch
    {
        Kind.TypeDouble or Kind.TypeFixed64 or Kind.TypeSfixed64 => 1,
        Kind.TypeString or Kind.TypeBytes or Kind.TypeMessage => 2,
        Kind.TypeGroup => 3,
        Kind.TypeFloat or Kind.TypeFixed32 or Kind.TypeSfixed32 => 5,
        _ => 0,
    };

    private void Scalar(ProtoField field, Json value, string pointer)
    {
        switch (field.Kind)
        {
            case Kind.TypeDouble: Fixed64(BitConverter.DoubleToUInt64Bits(Real(value, pointer))); break;
            case Kind.TypeFloat: Fixed32(BitConverter.SingleToUInt32Bits(Single(value, pointer))); break;
            case Kind.TypeInt64: Varint((ulong)Whole(value, pointer, long.MinValue, long.MaxValue)); break;
            case Kind.TypeUint64: Varint((ulong)Whole(value, pointer, 0, ulong.MaxValue)); break;
            case Kind.TypeInt32: Varint((ulong)(long)Whole(value, pointer, int.MinValue, int.MaxValue)); break;
            case Kind.TypeUint32: Varint((uint)Whole(value, pointer, 0, uint.MaxValue)); break;
            case Kind.TypeSint32: Varint(ZigZag((long)Whole(value, pointer, int.MinValue, int.MaxValue))); break;
            case Kind.TypeSint64: Varint(ZigZag((long)Whole(value, pointer, long.MinValue, long.MaxValue))); break;
            case Kind.TypeFixed64: Fixed64((ulong)Whole(value, pointer, 0, ulong.MaxValue)); break;
            case Kind.TypeSfixed64: Fixed64((ulong)Whole(value, pointer, long.MinValue, long.MaxValue)); break;
            case Kind.TypeFixed32: Fixed32((uint)Whole(value, pointer, 0, uint.MaxValue)); break;
            case Kind.TypeSfixed32: Fixed32((uint)(int)Whole(value, pointer, int.MinValue, int.MaxValue)); break;
            case Kind.TypeBool: Varint(value.IsBoolean ? value.AsBoolean() ? 1u : 0u : throw Arguments.Wrong(pointer, "true or false", value)); break;
            case Kind.TypeString: Bytes(Encoding.UTF8.GetBytes(value.StringOrNull ?? throw Arguments.Wrong(pointer, "a string", value))); break;
            case Kind.TypeBytes: Bytes(Base64(value, pointer)); break;
            default: Varint((ulong)(long)EnumNumber(field.Enum!, value, pointer)); break;
        }
    }

    private static int EnumNumber(ProtoEnum of, Json value, string pointer)
    {
        if (value.IsNumber) return (int)Whole(value, pointer, int.MinValue, int.MaxValue);
        if (value.StringOrNull is { } name && of.Numbers.TryGetValue(name, out var number)) return number;
        throw Arguments.Wrong(pointer, $"one of {string.Join(", ", of.Numbers.Keys.Order(StringComparer.Ordinal).Take(20))}", value);
    }

    private static Int128 Whole(Json value, string pointer, Int128 min, Int128 max)
    {
        var text = value.IsNumber ? value.ToString() : value.StringOrNull;
        if (!Int128.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
        {
            // 1e3 and 5.0 are whole, too.
            if (!decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var exact) || decimal.Truncate(exact) != exact)
                throw Arguments.Wrong(pointer, "a whole number", value);
            number = (Int128)exact;
        }
        return number >= min && number <= max ? number : throw Arguments.Wrong(pointer, $"a whole number from {min} to {max}", value);
    }

    private static double Real(Json value, string pointer) => value switch
    {
        { IsNumber: true } => value.AsNumber(),
        { StringOrNull: "NaN" } => double.NaN,
        { StringOrNull: "Infinity" } => double.PositiveInfinity,
        { StringOrNull: "-Infinity" } => double.NegativeInfinity,
        { StringOrNull: { } text } when double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) => number,
        _ => throw Arguments.Wrong(pointer, "a number", value),
    };

    private static float Single(Json value, string pointer)
    {
        var real = Real(value, pointer);
        return !double.IsFinite(real) || Math.Abs(real) <= float.MaxValue ? (float)real : throw Arguments.Wrong(pointer, "a number of 32 bits", value);
    }

    private static byte[] Base64(Json value, string pointer)
    {
        try
        {
            var text = (value.StringOrNull ?? throw Arguments.Wrong(pointer, "bytes in base64", value)).Replace('-', '+').Replace('_', '/').TrimEnd('=');
            return Convert.FromBase64String(text.PadRight((text.Length + 3) / 4 * 4, '='));
        }
        catch (FormatException)
        {
            throw Arguments.Wrong(pointer, "bytes in base64", value);
        }
    }

    private static ulong ZigZag(long value) => (ulong)(value << 1 ^ value >> 63);

    private void Varint(ulong value)
    {
        var span = _out.GetSpan(10);
        var length = 0;
        for (; value >= 0x80; value >>= 7) span[length++] = (byte)(value | 0x80);
        span[length++] = (byte)value;
        _out.Advance(length);
    }

    private void Fixed64(ulong value)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(_out.GetSpan(8), value);
        _out.Advance(8);
    }

    private void Fixed32(uint value)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(_out.GetSpan(4), value);
        _out.Advance(4);
    }

    private void Bytes(ReadOnlySpan<byte> bytes)
    {
        Varint((ulong)bytes.Length);
        _out.Write(bytes);
    }
}
