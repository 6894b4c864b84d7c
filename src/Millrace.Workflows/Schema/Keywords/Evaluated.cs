using System.Numerics;

namespace Millrace.Workflows.Schema.Keywords;

/// <summary>
/// Which members or items of one instance were evaluated, by position. A failed branch takes its marks back, which is
/// why they are logged.
/// </summary>
internal sealed class Evaluated
{
    private const int KeptMax = 4_096;

    private ulong[] _bits = new ulong[4];
    private int[] _log = new int[16];
    private int _logged;

    public int Position => _logged;

    /// <summary>A thread keeps its sets, so one huge instance must not stay with it.</summary>
    public bool IsWorthKeeping => _log.Length <= KeptMax;

    public void Clear(int count)
    {
        var words = (count + 63) / 64;
        if (_bits.Length < words) _bits = new ulong[BitOperations.RoundUpToPowerOf2((uint)words)];
        else Array.Clear(_bits, 0, words);
        _logged = 0;
    }

    public bool Has(int index) => (_bits[index >> 6] & 1UL << (index & 63)) != 0;

    public void Mark(int index)
    {
        ref var word = ref _bits[index >> 6];
        var bit = 1UL << (index & 63);
        if ((word & bit) != 0) return;
        word |= bit;
        if (_logged == _log.Length) Array.Resize(ref _log, _log.Length * 2);
        _log[_logged++] = index;
    }

    public void TakeBack(int position)
    {
        while (_logged > position)
        {
            var index = _log[--_logged];
            _bits[index >> 6] &= ~(1UL << (index & 63));
        }
    }

    public void CopyTo(Evaluated other)
    {
        for (var i = 0; i < _logged; i++) other.Mark(_log[i]);
    }
}
